package roost_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"

	"github.com/roostgo/roost"
	"github.com/roostgo/roost/test/client"
)

// stage is where examples take place: an endpoint behind net/http, and
// visitors whose every message is part of the output.
type stage struct {
	endpoint *roost.Endpoint
	server   *httptest.Server
	visitors []*visitor
}

// open serves an endpoint; middleware may be around it.
func open(e *roost.Endpoint, around ...func(http.Handler) http.Handler) *stage {
	e.Undisturbed()
	var h http.Handler = e
	for _, wrap := range around {
		h = wrap(h)
	}
	return &stage{endpoint: e, server: httptest.NewServer(h)}
}

// close ends the endpoint, when all channels have terminated.
func (s *stage) close() {
	for _, v := range s.visitors {
		v.conn.Drop()
	}
	must(s.endpoint.Shutdown(context.Background()))
	s.server.Close()
}

// visit connects a client, as new Socket("/socket", {params}).connect() of
// phoenix.js does; query is the params.
func (s *stage) visit(name, query string) *visitor {
	url := "ws" + strings.TrimPrefix(s.server.URL, "http") + "/socket/websocket?vsn=2.0.0" + query
	v := enter(name, url)
	s.visitors = append(s.visitors, v)
	return v
}

// visitor is a client. What it sends is V2: join_ref, ref, topic, event,
// payload.
type visitor struct {
	name string
	conn *client.Conn
	refs int
	join map[string]string // by topic: the ref of the join
}

func enter(name, url string) *visitor {
	conn, _, err := client.Dial(context.Background(), url, client.Options{})
	must(err)
	return &visitor{name: name, conn: conn, join: make(map[string]string)}
}

// push sends an event, and does not wait for what comes of it.
func (v *visitor) push(topic, event, payload string) {
	v.refs++
	ref := strconv.Itoa(v.refs)
	if event == "phx_join" {
		v.join[topic] = ref
	}
	must(v.conn.Push(v.join[topic], ref, topic, event, payload))
}

// enters joins a topic and waits for the reply, which is not printed.
func (v *visitor) enters(topic, payload string) {
	v.push(topic, "phx_join", payload)
	v.next()
}

// next waits for the next message.
func (v *visitor) next() client.Message {
	m, err := v.conn.Read(client.DefaultTimeout)
	must(err)
	return m
}

// hears prints the topic, event and payload of the next message, or the code
// of the close.
func (v *visitor) hears() {
	m := v.next()
	if m.CloseCode != 0 {
		fmt.Printf("%s: closed with %d\n", v.name, m.CloseCode)
		return
	}
	var parts [5]json.RawMessage
	must(json.Unmarshal(m.Payload, &parts))
	fmt.Printf("%s: %s %s %s\n", v.name, parts[2], parts[3], parts[4])
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}
