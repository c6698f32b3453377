package roost_test

import (
	"context"
	"net/http"

	"github.com/roostgo/roost"
)

// userKey is where the middleware below keeps who asks.
type userKey struct{}

// authenticate is HTTP middleware as any program has it: it finds out who
// asks, and puts that into the request's context.
func authenticate(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user := map[string]string{"abc": "ann", "xyz": "bob"}[r.URL.Query().Get("token")]
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), userKey{}, user)))
	})
}

// admit is Config.Connect: it decides, and keeps what channels will need.
// Nothing else of the request outlives it.
func admit(ctx context.Context, c *roost.Connect) error {
	user, _ := ctx.Value(userKey{}).(string)
	if user == "" {
		return roost.ErrRefused
	}
	c.Assign("user", user)
	c.ID = "users:" + user
	return nil
}

// Mirror is a channel that shows its client who it is.
type Mirror struct{}

// Join replies with what admit kept.
func (m *Mirror) Join(_ context.Context, s *roost.Socket, _ roost.Payload) (roost.Reply, error) {
	user, _ := s.Value("user").(string)
	return roost.ReplyOK(map[string]string{"you": user, "id": s.ID()}), nil
}

func ExampleConnect() {
	endpoint := roost.NewEndpoint(roost.Config{Connect: admit})
	endpoint.Channel("mirror", roost.ChannelOf((*Mirror).Join))

	hall := open(endpoint, authenticate)
	defer hall.close()
	ann := hall.visit("ann", "&token=abc")
	ann.push("mirror", "phx_join", `{}`)
	ann.hears()

	// Output:
	// ann: "mirror" "phx_reply" {"status":"ok","response":{"id":"users:ann","you":"ann"}}
}

func ExampleEndpoint_Disconnect() {
	endpoint := roost.NewEndpoint(roost.Config{Connect: admit})
	endpoint.Channel("mirror", roost.ChannelOf((*Mirror).Join))

	hall := open(endpoint, authenticate)
	defer hall.close()
	phone, laptop, bob := hall.visit("ann's phone", "&token=abc"), hall.visit("ann's laptop", "&token=abc"), hall.visit("bob", "&token=xyz")
	bob.enters("mirror", `{}`)

	// Ann's token was revoked: all of her connections end, on all nodes.
	must(endpoint.Disconnect(context.Background(), "users:ann"))
	phone.hears()
	laptop.hears()
	bob.push("mirror", "phx_leave", `{}`)
	bob.hears()

	// Output:
	// ann's phone: closed with 1001
	// ann's laptop: closed with 1001
	// bob: "mirror" "phx_reply" {"status":"ok","response":{}}
}
