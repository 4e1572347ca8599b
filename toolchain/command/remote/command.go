// Package remote is the module of the same name in the Pulumi package "command": its resource
// Command runs shell commands on a host over SSH.
//
// The types' names and field tags make up the schema; the framework derives from them the checks,
// the diff and which outputs are unknown or secret.
package remote

import (
	"cmp"
	"context"

	"github.com/pulumi/pulumi-go-provider/infer"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

// Command acts on the lifecycle of the resource. A refresh reads nothing: what a command did is
// known to the host alone.
type Command struct{}

var (
	_ infer.CustomUpdate[Inputs, State] = Command{}
	_ infer.CustomDelete[State]         = Command{}
)

// Inputs is what a program declares.
type Inputs struct {
	// The script for each step of the lifecycle. Without Update, an update runs Create again.
	Create *string `pulumi:"create,optional"`
	Update *string `pulumi:"update,optional"`
	Delete *string `pulumi:"delete,optional"`

	// Values of any kind; a changed one replaces the resource.
	Triggers []any `pulumi:"triggers,optional" provider:"replaceOnChanges"`

	Connection Connection `pulumi:"connection" provider:"secret"`
	Stdin      *string    `pulumi:"stdin,optional"`
	Logging    *Logging   `pulumi:"logging,optional"`

	// Variables for the script; the SSH server must be configured to accept them.
	Environment map[string]string `pulumi:"environment,optional"`

	// Whether the script finds what the last one printed in its environment; true where unset.
	AddPreviousOutputInEnv *bool `pulumi:"addPreviousOutputInEnv,optional"`
}

// Output is what a script printed, each stream without its final newline.
type Output struct {
	Stdout string `pulumi:"stdout"`
	Stderr string `pulumi:"stderr"`
}

// State is what the engine records: the inputs, and the output of the script that ran last.
type State struct {
	Inputs
	Output
}

// Create runs the create script. In a preview it runs nothing.
func (Command) Create(
	ctx context.Context, req infer.CreateRequest[Inputs],
) (infer.CreateResponse[State], error) {
	const randomBytes, anyLength = 8, 0
	id, err := resource.NewUniqueHex(req.Name, randomBytes, anyLength)
	state := State{Inputs: req.Inputs}
	if err == nil && !req.DryRun {
		state.Output, err = req.Inputs.run(ctx, req.Inputs.Create, Output{})
	}
	return infer.CreateResponse[State]{ID: id, Output: state}, err
}

// Update runs the update script of the new inputs, else their create script, over their
// connection. In a preview it runs nothing.
func (Command) Update(
	ctx context.Context, req infer.UpdateRequest[Inputs, State],
) (infer.UpdateResponse[State], error) {
	var err error
	state := State{Inputs: req.Inputs, Output: req.State.Output}
	if !req.DryRun {
		script := cmp.Or(req.Inputs.Update, req.Inputs.Create)
		state.Output, err = req.Inputs.run(ctx, script, req.State.Output)
	}
	return infer.UpdateResponse[State]{Output: state}, err
}

// Delete runs the delete script that is in the state, over the connection that is in the state.
func (Command) Delete(
	ctx context.Context, req infer.DeleteRequest[State],
) (infer.DeleteResponse, error) {
	_, err := req.State.run(ctx, req.State.Delete, req.State.Output)
	return infer.DeleteResponse{}, err
}
