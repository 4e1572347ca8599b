package remote

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"os"
	"strconv"
	"time"

	p "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi-go-provider/infer"
	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
)

// Connection is the way to the host: straight, or through a proxy.
type Connection struct {
	Server
	Proxy *ProxyConnection `pulumi:"proxy,optional"`
}

// ProxyConnection is the way to a jump host.
type ProxyConnection struct {
	Server
}

// Server is an SSH server and how to log in to it. A pointer tells what is unset from what is
// empty; where there is a default, the check that precedes every create and update has set it.
type Server struct {
	Host string  `pulumi:"host"`
	Port float64 `pulumi:"port,optional"`
	User string  `pulumi:"user,optional"`

	PrivateKey         *string `pulumi:"privateKey,optional" provider:"secret"`
	PrivateKeyPassword *string `pulumi:"privateKeyPassword,optional" provider:"secret"`
	Password           *string `pulumi:"password,optional" provider:"secret"`
	AgentSocketPath    *string `pulumi:"agentSocketPath,optional"`

	// The server's public key, as in a line of authorized_keys. Where unset any is accepted.
	HostKey *string `pulumi:"hostKey,optional"`

	// How many attempts may fail before the last error counts; unlimited where negative.
	DialErrorLimit *int `pulumi:"dialErrorLimit,optional"`

	// Seconds that one attempt may take to connect, and then twice as many to log in; unlimited where
	// zero. The official provider bounds the connection alone.
	PerDialTimeout *int `pulumi:"perDialTimeout,optional"`
}

// Annotate tells the framework the defaults.
func (s *Server) Annotate(a infer.Annotator) {
	a.SetDefault(&s.Port, 22)
	a.SetDefault(&s.User, "root")
	a.SetDefault(&s.DialErrorLimit, 10)
	a.SetDefault(&s.PerDialTimeout, 15)
}

// The pause after the first failed attempt, and the longest that it grows to.
const (
	firstPause   = 100 * time.Millisecond
	longestPause = 5 * time.Second
)

// dialFunc opens a network connection, from here or from another host.
type dialFunc func(ctx context.Context, network, address string) (net.Conn, error)

// dial logs in to the host. The client lives until ctx is done.
func (c Connection) dial(ctx context.Context) (*ssh.Client, error) {
	var dialer net.Dialer
	if c.Proxy == nil {
		return c.Server.dial(ctx, dialer.DialContext)
	}
	proxy, err := c.Proxy.dial(ctx, dialer.DialContext)
	if err != nil {
		return nil, fmt.Errorf("proxy: %w", err)
	}
	return c.Server.dial(ctx, proxy.DialContext)
}

// dial logs in to the server over a connection made by open, trying again after a growing pause
// until more than DialErrorLimit attempts have failed. The client lives until ctx is done.
func (s Server) dial(ctx context.Context, open dialFunc) (*ssh.Client, error) {
	config, err := s.clientConfig(ctx)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.address(), err)
	}
	pause := firstPause
	for failures := 1; ; failures++ {
		client, err := s.attempt(ctx, open, config)
		if err == nil {
			context.AfterFunc(ctx, func() { client.Close() })
			return client, nil
		}
		if limit := *s.DialErrorLimit; limit >= 0 && failures > limit {
			return nil, fmt.Errorf("%s: %d failed attempts: %w", s.address(), failures, err)
		}
		p.GetLogger(ctx).InfoStatusf("%s: attempt %d failed, trying again: %v",
			s.address(), failures, err)
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("%s: %w after %d failed attempts: %w",
				s.address(), context.Cause(ctx), failures, err)
		case <-time.After(pause):
		}
		pause = min(pause*3/2, longestPause)
	}
}

// attempt connects and logs in once.
func (s Server) attempt(
	ctx context.Context, open dialFunc, config *ssh.ClientConfig,
) (*ssh.Client, error) {
	dialCtx, cancel := within(ctx, *s.PerDialTimeout, "no connection")
	defer cancel()
	conn, err := open(dialCtx, "tcp", s.address())
	if err != nil {
		return nil, err
	}
	ctx, hangUp := within(ctx, 2**s.PerDialTimeout, "no SSH login")
	defer hangUp()
	// A handshake takes no context: closing the connection is the way to end it.
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	sshConn, channels, requests, err := ssh.NewClientConn(conn, s.address(), config)
	if ended := !stop(); ended {
		return nil, context.Cause(ctx)
	}
	if err != nil {
		return nil, err
	}
	return ssh.NewClient(sshConn, channels, requests), nil
}

// within bounds ctx by so many seconds, or not at all where they are none.
func within(ctx context.Context, seconds int, lack string) (context.Context, context.CancelFunc) {
	if seconds <= 0 {
		return context.WithCancel(ctx)
	}
	return context.WithTimeoutCause(ctx, time.Duration(seconds)*time.Second,
		fmt.Errorf("%s within %d s", lack, seconds))
}

func (s Server) address() string {
	return net.JoinHostPort(s.Host, strconv.Itoa(int(s.Port)))
}

// clientConfig says who logs in and which host key is accepted.
func (s Server) clientConfig(ctx context.Context) (*ssh.ClientConfig, error) {
	auth, err := s.auth(ctx)
	if err != nil {
		return nil, err
	}
	config := &ssh.ClientConfig{
		User:            s.User,
		Auth:            auth,
		HostKeyCallback: ssh.InsecureIgnoreHostKey(),
	}
	if s.HostKey != nil {
		key, _, _, _, err := ssh.ParseAuthorizedKey([]byte(*s.HostKey))
		if err != nil {
			return nil, fmt.Errorf("hostKey: %w", err)
		}
		config.HostKeyCallback = ssh.FixedHostKey(key)
		// A server that has keys of several types must present the one of this type.
		config.HostKeyAlgorithms = []string{key.Type()}
	}
	return config, nil
}

// auth lists the ways to log in, in order of preference. The client tries a method once, so an
// agent's keys are offered only where no private key is.
func (s Server) auth(ctx context.Context) ([]ssh.AuthMethod, error) {
	var methods []ssh.AuthMethod
	if s.PrivateKey != nil {
		signer, err := s.signer()
		if err != nil {
			return nil, fmt.Errorf("privateKey: %w", err)
		}
		methods = append(methods, ssh.PublicKeys(signer))
	}
	if s.Password != nil {
		methods = append(methods, ssh.Password(*s.Password), ssh.KeyboardInteractive(s.answer))
	}
	variable := os.Getenv("SSH_AUTH_SOCK")
	if socket := *cmp.Or(s.AgentSocketPath, &variable); socket != "" && s.PrivateKey == nil {
		conn, err := net.Dial("unix", socket)
		if err != nil {
			return nil, fmt.Errorf("SSH agent: %w", err)
		}
		context.AfterFunc(ctx, func() { conn.Close() })
		methods = append(methods, ssh.PublicKeysCallback(agent.NewClient(conn).Signers))
	}
	return methods, nil
}

func (s Server) signer() (ssh.Signer, error) {
	if s.PrivateKeyPassword == nil {
		return ssh.ParsePrivateKey([]byte(*s.PrivateKey))
	}
	return ssh.ParsePrivateKeyWithPassphrase([]byte(*s.PrivateKey), []byte(*s.PrivateKeyPassword))
}

// answer gives the password to every question of a server that asks for it interactively.
func (s Server) answer(_, _ string, questions []string, _ []bool) ([]string, error) {
	answers := make([]string, len(questions))
	for i := range answers {
		answers[i] = *s.Password
	}
	return answers, nil
}
