// Package shim opens the Terraform Docker provider, whose constructor is in an internal package, to
// the bridge: only a module under the provider's own path may import it.
package shim

import (
	"github.com/hashicorp/terraform-plugin-sdk/v2/helper/schema"
	"github.com/terraform-providers/terraform-provider-docker/internal/provider"
)

// Provider gives the Terraform provider; version is what it reports to Docker Engines.
func Provider(version string) *schema.Provider {
	return provider.New(version)()
}
