package remote

import (
	"context"
	"fmt"
	"strings"

	p "github.com/pulumi/pulumi-go-provider"
	"golang.org/x/crypto/ssh"
)

// run runs script on the host, over a connection of its own, and returns what it printed. Without
// a script it dials nothing and returns the previous output. An error has all that was printed,
// but neither stdin nor the connection's secrets.
func (in Inputs) run(ctx context.Context, script *string, previous Output) (Output, error) {
	if script == nil {
		return previous, nil
	}
	ctx, hangUp := context.WithCancel(ctx)
	defer hangUp()

	client, err := in.Connection.dial(ctx)
	if err != nil {
		return Output{}, err
	}
	session, err := client.NewSession()
	if err == nil {
		err = in.setEnvironment(ctx, session, previous)
	}
	if err != nil {
		return Output{}, fmt.Errorf("%s: %w", in.Connection.address(), err)
	}
	if in.Stdin != nil {
		session.Stdin = strings.NewReader(*in.Stdin)
	}

	var both transcript
	stdout := stream{both: &both, log: in.logFunc(ctx, Stdout)}
	stderr := stream{both: &both, log: in.logFunc(ctx, Stderr)}
	session.Stdout, session.Stderr = &stdout, &stderr
	err = session.Run(*script)
	stdout.flush()
	stderr.flush()

	if err != nil {
		if ctx.Err() != nil { // the end of the connection is only how it shows
			err = context.Cause(ctx)
		}
		return Output{}, fmt.Errorf("%s: running %q: %w\n%s",
			in.Connection.address(), *script, err, asText(both.text))
	}
	return Output{Stdout: stdout.String(), Stderr: stderr.String()}, nil
}

// setEnvironment sets the declared variables, and those that carry the previous output. A server
// that refuses a declared one fails the run; the others are a convenience.
func (in Inputs) setEnvironment(ctx context.Context, session *ssh.Session, previous Output) error {
	const remedy = "the SSH server refuses the variable %s: name it in AcceptEnv of sshd_config"
	for name, value := range in.Environment {
		if err := session.Setenv(name, value); err != nil {
			return fmt.Errorf(remedy+": %w", name, err)
		}
	}
	if in.AddPreviousOutputInEnv != nil && !*in.AddPreviousOutputInEnv {
		return nil
	}
	for name, value := range map[string]string{
		"PULUMI_COMMAND_STDOUT": previous.Stdout,
		"PULUMI_COMMAND_STDERR": previous.Stderr,
	} {
		if value != "" && session.Setenv(name, value) != nil {
			p.GetLogger(ctx).Warningf(remedy+", or set addPreviousOutputInEnv to false", name)
		}
	}
	return nil
}

// logFunc shows a line of the stream to the user, as far as they want to see it.
func (in Inputs) logFunc(ctx context.Context, stream Logging) func(line string) {
	if in.Logging.includes(stream) {
		return p.GetLogger(ctx).InfoStatus
	}
	return func(string) {}
}
