package main

import (
	"fmt"
	"net"
	"strings"
)

// greeting says what is served where, and how to make something happen.
type greeting struct {
	addr   net.Addr
	named  bool   // there are hosts that it answers to
	secret string // the file with the secret; "": nobody is asked who they are
	api    gate
}

func (g greeting) String() string {
	host := g.addr.String()
	if tcp, ok := g.addr.(*net.TCPAddr); ok && tcp.IP.IsUnspecified() {
		host = fmt.Sprintf("localhost:%d", tcp.Port)
	}
	return fmt.Sprintf(`Roost relays on http://%[1]s
%[2]s
  playground  http://%[1]s/
  socket      ws://%[1]s/socket/websocket    phoenix.js: new Socket("ws://%[1]s/socket"%[3]s)
  publish     POST http://%[1]s/api/broadcast
  health      http://%[1]s/healthz, /readyz

%[4]s
`, host, strings.Join(g.reach(), "\n"), g.options(), g.trial(host))
}

// reach says who may do what.
func (g greeting) reach() (lines []string) {
	switch {
	case !isLocal(g.addr):
		lines = append(lines, g.asked("who can reach "+g.addr.String())...)
	case g.api.network:
		lines = append(lines, "Only this machine can reach it, and what -trusted-proxies pass on.")
		lines = append(lines, g.asked("whom they let through")...)
	default:
		lines = append(lines, "Only this machine can reach it; -listen :4000 opens it to the network.")
	}
	if !isLocal(g.addr) && !g.named {
		lines = append(lines, "Any host name will do; -host names the ones to answer to.")
	}
	if g.secret != "" {
		lines = append(lines, "Clients need a token; this makes one for user 42: roost token -secret-file "+g.secret+" 42")
	}
	return lines
}

// asked warns of what nobody is asked for.
func (g greeting) asked(who string) []string {
	open := g.api.keys == nil && g.api.insecure
	switch {
	case g.secret == "" && open:
		return []string{"Everybody " + who + " can join, push and publish: nobody is asked who they are."}
	case g.secret == "":
		return []string{"Everybody " + who + " can join and push: nobody is asked who they are; -secret-file has clients asked."}
	case open:
		return []string{"Everybody " + who + " can publish: the API asks for no key."}
	}
	return nil
}

// options are those of phoenix.js's Socket.
func (g greeting) options() string {
	if g.secret == "" {
		return ""
	}
	return ", {authToken: TOKEN}"
}

// trial is how to see a message arrive.
func (g greeting) trial(host string) string {
	key := ""
	switch {
	case g.api.closed():
		return "Nobody can publish: -api-keys FILE lets in who has a key of that file."
	case g.api.keys != nil:
		key = `-H "authorization: Bearer $ROOST_API_KEY" `
	}
	return fmt.Sprintf(`Open the playground, paste this, and see it arrive:

  curl %s-H 'content-type: application/json' -d '{"topic":"room:lobby","event":"shout","payload":{"body":"hello from curl"}}' http://%s/api/broadcast`,
		key, host)
}
