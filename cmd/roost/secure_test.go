package main

import (
	"crypto/tls"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/roostgo/roost/internal/testcert"
	"github.com/roostgo/roost/test/client"
)

func TestServeSpeaksTLS(t *testing.T) {
	pair := testcert.New(t, "localhost")
	pair.Write(t, t.TempDir())
	s := serveFor(t, "-tls-cert", pair.CertFile, "-tls-key", pair.KeyFile)
	for _, want := range []string{"https://" + s.addr + "/", "wss://" + s.addr + "/socket/websocket"} {
		if !strings.Contains(s.greeting, want) {
			t.Errorf("it does not say %q:\n%s", want, s.greeting)
		}
	}
	config := &tls.Config{RootCAs: testcert.Pool(pair), ServerName: "localhost", MinVersion: tls.VersionTLS13}
	transport := &http.Transport{TLSClientConfig: config}
	defer transport.CloseIdleConnections()
	resp, err := (&http.Client{Transport: transport}).Get("https://" + s.addr + "/healthz")
	must(t, err)
	_, _ = io.Copy(io.Discard, resp.Body)
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Error(resp.Status)
	}
	c := client.Open(t, "wss://"+s.addr+"/socket/websocket?vsn=2.0.0", client.Options{TLS: config})
	c.Join(t, "room:1", "1", "")
	c.Drop()
}

func TestWrongTLSFlagsAreExplained(t *testing.T) {
	for want, args := range map[string][]string{
		"go together":         {"-tls-cert", "cert.pem"},
		"neither 1.2 nor 1.3": {"-tls-min", "1.1"},
		"no client would":     {"-tls-computing", "-1"},
		"-tls-ticket-keys":    {"-tls-cert", "c.pem", "-tls-key", "k.pem", "-tls-ticket-keys", "nowhere"},
		"-reload is 0s":       {"-reload", "0s"},
		"nowhere.pem":         {"-tls-cert", "nowhere.pem", "-tls-key", "nowhere.pem"},
	} {
		err := run(t.Context(), append([]string{"serve", "-listen", "127.0.0.1:0"}, args...), io.Discard, io.Discard)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v", args, err)
		}
	}
}
