package rest_test

import (
	"bytes"
	"context"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/millrace-io/millrace/internal/rest"
)

// startServer runs a server of its own until the test ends.
func startServer(t *testing.T, o rest.Options) *service {
	t.Helper()
	srv, err := rest.Listen(o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- srv.Run(ctx) }()
	s := newService(t, "http://"+srv.Addr().String())
	t.Cleanup(func() {
		s.client.CloseIdleConnections()
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	return s
}

func TestHealthBeforeAndAfterStartUp(t *testing.T) {
	t.Parallel()
	var ready atomic.Bool
	s := startServer(t, rest.Options{Listeners: []string{"http://127.0.0.1:0"}, Ready: ready.Load, Log: slog.New(slog.DiscardHandler)})
	s.expect(http.MethodGet, "/health", "", 503, `{"status":"starting","message":"Worker is still starting up."}`)
	ready.Store(true)
	a := s.expect(http.MethodGet, "/health", "", 200, `{"status":"healthy","message":"Worker has completed startup and is ready to handle requests."}`)
	if got := a.header.Get("Content-Type"); got != jsonType {
		t.Errorf("Content-Type %s, want %s", got, jsonType)
	}
}

func TestListeners(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for _, tc := range []struct{ listener, want string }{
		{"127.0.0.1:0", "Listener doesn't have the right format (protocol://hostname:port)."},
		{"http://127.0.0.1", "Listener doesn't have the right format (protocol://hostname:port)."},
		{"http://127.0.0.1:web", "Listener doesn't have the right format (protocol://hostname:port)."},
		{"http://127.0.0.1:65536", "Listener doesn't have the right format (protocol://hostname:port)."},
		{"ftp://127.0.0.1:0", `Listener protocol must be either "http" or "https".`},
		{"https://127.0.0.1:0", "this version of Millrace serves http only"},
		{"http://" + taken.Addr().String(), "Stop the program that uses the port, or choose another with listeners=http://:PORT"},
	} {
		first, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		free := first.Addr().String()
		_ = first.Close()
		_, err = rest.Listen(rest.Options{Listeners: []string{"http://" + free, tc.listener}})
		if err == nil || !strings.Contains(err.Error(), tc.listener) || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("Listen(%s): %v, want %q", tc.listener, err, tc.want)
		}
		again, err := net.Listen("tcp", free)
		if err != nil {
			t.Errorf("the listener before %s was left open: %v", tc.listener, err)
			continue
		}
		_ = again.Close()
	}
}

func TestSeveralListeners(t *testing.T) {
	t.Parallel()
	srv, err := rest.Listen(rest.Options{Listeners: []string{"HTTP://127.0.0.1:0/", "http://127.0.0.1:0"}, Ready: func() bool { return true }, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	if !srv.Addr().IP.Equal(net.IPv4(127, 0, 0, 1)) || srv.Addr().Port == 0 {
		t.Errorf("Addr: %s, want that of the first listener", srv.Addr())
	}
	srv.Close()
	if l, err := net.Listen("tcp", srv.Addr().String()); err != nil {
		t.Errorf("Close leaves a listener open: %v", err)
	} else {
		_ = l.Close()
	}
}

// slow is a herder whose deletions wait.
type slow struct {
	rest.Herder
	entered, release chan struct{}
}

func (h slow) Delete(context.Context, string) error {
	close(h.entered)
	<-h.release
	return nil
}

func TestStopLetsRequestsFinish(t *testing.T) {
	t.Parallel()
	h := slow{entered: make(chan struct{}), release: make(chan struct{})}
	srv, err := rest.Listen(rest.Options{Listeners: []string{"http://127.0.0.1:0"}, Herder: h, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- srv.Run(ctx) }()
	s := newService(t, "http://"+srv.Addr().String())
	status := make(chan int, 1)
	go func() { status <- s.do(http.MethodDelete, "/connectors/c", "").status }()
	<-h.entered
	cancel()
	s.await(func() bool { // no new connections are taken
		c, err := net.Dial("tcp", srv.Addr().String())
		if err == nil {
			_ = c.Close()
		}
		return err != nil
	})
	select {
	case err := <-done:
		t.Fatalf("Run ended during a request: %v", err)
	default:
	}
	close(h.release)
	if got := <-status; got != http.StatusNoContent {
		t.Errorf("status %d, want 204", got)
	}
	if err := <-done; err != nil {
		t.Errorf("Run: %v", err)
	}
}

func TestRequestsAreLogged(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var out bytes.Buffer
	log := slog.New(slog.NewTextHandler(writer(func(p []byte) (int, error) {
		mu.Lock()
		defer mu.Unlock()
		return out.Write(p)
	}), nil))
	s := startServer(t, rest.Options{Listeners: []string{"http://127.0.0.1:0"}, Ready: func() bool { return true }, Log: log})
	s.do(http.MethodGet, "/health?x=1", "", "Authorization", "Basic c2VjcmV0")
	s.get("/nope")
	s.await(func() bool {
		mu.Lock()
		defer mu.Unlock()
		return strings.Count(out.String(), "\n") == 2
	})
	for _, want := range []string{`method=GET path="/health?x=1" status=200 bytes=94 took=`, "method=GET path=/nope status=404 bytes=49 took="} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the log lacks %q:\n%s", want, &out)
		}
	}
	if strings.Contains(out.String(), "c2VjcmV0") {
		t.Errorf("credentials are in the log:\n%s", &out)
	}
}

type writer func([]byte) (int, error)

func (w writer) Write(p []byte) (int, error) { return w(p) }
