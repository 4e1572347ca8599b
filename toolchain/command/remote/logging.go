package remote

import "github.com/pulumi/pulumi-go-provider/infer"

// Logging says which of a script's output streams are shown while it runs.
type Logging string

// The values of Logging. Where it is unset both streams are shown.
const (
	Stdout          Logging = "stdout"
	Stderr          Logging = "stderr"
	StdoutAndStderr Logging = "stdoutAndStderr"
	None            Logging = "none"
)

// Values lists the values for the schema.
func (Logging) Values() []infer.EnumValue[Logging] {
	return []infer.EnumValue[Logging]{
		{Name: "stdout", Value: Stdout},
		{Name: "stderr", Value: Stderr},
		{Name: "stdoutAndStderr", Value: StdoutAndStderr},
		{Name: "none", Value: None},
	}
}

// includes says whether the stream, Stdout or Stderr, is shown.
func (l *Logging) includes(stream Logging) bool {
	return l == nil || *l == StdoutAndStderr || *l == stream
}
