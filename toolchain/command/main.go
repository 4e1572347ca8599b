// Pulumi-resource-command is a Pulumi plugin that serves the resource command:remote:Command as
// the Python package pulumi_command speaks it. It stands in for the official plugin of the same
// name on machines that can build Go modules but can't download plugins.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/pulumi/pulumi-go-provider/infer"

	"swarm/toolchain/command/remote"
)

// version is that of the pulumi_command package served, set at build time by -ldflags.
var version = "0.0.0-dev"

func main() {
	plugin := infer.Provider(infer.Options{
		Resources: []infer.InferredResource{infer.Resource(remote.Command{})},
	})
	if err := plugin.Run(context.Background(), "command", version); err != nil {
		fmt.Fprintln(os.Stderr, "pulumi-resource-command:", err)
		os.Exit(1)
	}
}
