package wire_test

import (
	"fmt"

	"github.com/roostgo/roost/wire"
)

// A frame comes in, its answer goes out.
func Example() {
	serializer, err := wire.DefaultVersions().Match("2.0.0")
	if err != nil {
		panic(err)
	}
	var m wire.Message
	if err := serializer.Decode(&m, false, []byte(`["1","7","room:lobby","add",{"a":2,"b":3}]`)); err != nil {
		panic(err)
	}
	var sum struct{ A, B int }
	if err := m.Payload.Decode(&sum); err != nil {
		panic(err)
	}
	response, err := wire.Marshal(map[string]int{"sum": sum.A + sum.B})
	if err != nil {
		panic(err)
	}
	frame, _, err := serializer.Encode(nil, &wire.Message{
		Kind: wire.Reply, JoinRef: m.JoinRef, Ref: m.Ref, Topic: m.Topic, Status: "ok", Payload: response,
	})
	if err != nil {
		panic(err)
	}
	fmt.Printf("%s\n", frame)
	// Output: ["1","7","room:lobby","phx_reply",{"status":"ok","response":{"sum":5}}]
}

func ExampleParseVersions() {
	versions, err := wire.ParseVersions(
		wire.Rule{Requirement: "~> 2.0.0 or ~> 2.1.0", Serializer: wire.V2()},
		wire.Rule{Requirement: ">= 1.0.0 and < 2.0.0", Serializer: wire.V1()},
	)
	if err != nil {
		panic(err)
	}
	for _, vsn := range []string{"2.1.4", "1.7.0", "3.0.0"} {
		serializer, err := versions.Match(vsn)
		if err != nil {
			fmt.Println(err)
			continue
		}
		fmt.Println(vsn, "is served by", serializer.Name())
	}
	// Output:
	// 2.1.4 is served by v2
	// 1.7.0 is served by v1
	// wire: no serializer for vsn: "3.0.0" matches none of ~> 2.0.0 or ~> 2.1.0 (v2), >= 1.0.0 and < 2.0.0 (v1)
}
