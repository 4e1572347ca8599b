// Command pulumi-resource-docker serves the Terraform Docker provider to Pulumi, by way of the
// Terraform bridge, under the names that the published package pulumi_docker speaks.
//
// It stands in for the official plugin where that can't be downloaded. The native Image resource of
// the official plugin isn't in it.
package main

import (
	"encoding/json"
	"io"

	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge"
	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge/tokens"
	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfgen"
	shimv2 "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfshim/sdk-v2"
	"github.com/pulumi/pulumi/sdk/v3/go/common/diag"
	"github.com/pulumi/pulumi/sdk/v3/go/common/diag/colors"
	"github.com/pulumi/pulumi/sdk/v3/go/common/util/contract"
	"github.com/terraform-providers/terraform-provider-docker/shim"
)

// version is set by the linker to that of the pulumi_docker package that is served.
var version = "0.0.0"

func main() {
	info := providerInfo()
	tfbridge.Main(info.Name, version, info, schema(info))
}

// providerInfo maps Terraform's names to those of pulumi_docker where the bridge's own rules
// (docker_service is docker:index/service:Service, lists are plural) would give another one.
func providerInfo() tfbridge.ProviderInfo {
	prov := tfbridge.ProviderInfo{
		P:            shimv2.NewProvider(shim.Provider(version)),
		Name:         "docker",
		Version:      version,
		MetadataInfo: tfbridge.NewProviderMetadata([]byte("{}")),
		Resources: map[string]*tfbridge.ResourceInfo{
			"docker_container": {
				// A container's name and ports are free only after the old one is gone.
				DeleteBeforeReplace: true,
				Fields: map[string]*tfbridge.SchemaInfo{
					"command":           {Name: "command"},
					"networks_advanced": {Name: "networksAdvanced"},
				},
			},
			"docker_config": {Tok: "docker:index/serviceConfig:ServiceConfig"},
			"docker_image": {
				Tok: "docker:index/remoteImage:RemoteImage",
				// Being named here keeps it from a random suffix: it says which image to pull.
				Fields: map[string]*tfbridge.SchemaInfo{"name": {Name: "name"}},
			},
		},
		Config: map[string]*tfbridge.SchemaInfo{
			"registry_auth": {Name: "registryAuth", MaxItemsOne: tfbridge.False()},
		},
	}
	prov.MustComputeTokens(tokens.SingleModule("docker_", "index", tokens.MakeStandard("docker")))
	prov.SetAutonaming(255, "-")
	return prov
}

// schema gives the package's schema as JSON. It takes some 50 ms, so it isn't kept in a file.
func schema(info tfbridge.ProviderInfo) []byte {
	quiet := diag.DefaultSink(io.Discard, io.Discard, diag.FormatOptions{Color: colors.Never})
	generated, err := tfgen.GenerateSchemaWithOptions(tfgen.GenerateSchemaOptions{
		ProviderInfo:    info,
		DiagnosticsSink: quiet,
		XInMemoryDocs:   true,
	})
	contract.AssertNoErrorf(err, "generating the schema of the docker package")
	text, err := json.Marshal(generated.PackageSpec)
	contract.AssertNoErrorf(err, "writing the schema of the docker package")
	return text
}
