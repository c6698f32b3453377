package roost_test

import (
	"bufio"
	"crypto/tls"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/roostgo/roost"
	"github.com/roostgo/roost/internal/testcert"
)

func TestWhoWasAcceptedBeforeTheEndIsAnswered(t *testing.T) {
	pair := testcert.New(t, "roost.example")
	for name, secured := range map[string]*roost.TLS{
		"plain": nil,
		"TLS":   {Config: &tls.Config{Certificates: []tls.Certificate{pair.TLS}, MinVersion: tls.VersionTLS13}},
	} {
		t.Run(name, func(t *testing.T) {
			s := &roost.Server{TLS: secured}
			r := start(t, s)
			nc, err := net.Dial("tcp", r.addr)
			if err != nil {
				t.Fatal(err)
			}
			defer nc.Close()
			_ = nc.SetDeadline(time.Now().Add(patience))
			awaitPlaces(t, s, 1)
			r.stop()
			awaitRefusal(t, r)
			if secured != nil {
				nc = tls.Client(nc, &tls.Config{RootCAs: testcert.Pool(pair), ServerName: "roost.example", MinVersion: tls.VersionTLS13})
			}
			if _, err := nc.Write([]byte("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")); err != nil {
				t.Fatal(err)
			}
			resp, err := http.ReadResponse(bufio.NewReader(nc), nil)
			if err != nil {
				t.Fatal(err)
			}
			_ = resp.Body.Close()
		})
	}
}
