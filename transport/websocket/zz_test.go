package websocket_test
import ("testing";"time";"fmt";"github.com/roostgo/roost/test/client";"github.com/roostgo/roost/transport/websocket")
func TestZZ(t *testing.T){
 for _, sb := range []int{-1,16<<10,32<<10,48<<10,64<<10,96<<10,128<<10,256<<10} {
  t.Run(fmt.Sprint(sb), func(t *testing.T){
  onEachEngine(t, websocket.Config{SendBuffer: sb}, func(t *testing.T, s *stage) {
	s.plays(func() *visit { v := newVisit(); v.quiet = true; return v })
	for _, size := range []int{20000,40000, 60000,100000, 1000000} {
	c, _ := s.dial(client.Options{Timeout: patience})
	b := make([]byte, size)
	t0 := time.Now()
	for range 3 {
	go c.SendBinary(b)
	c.ExpectBinary(t, b)
	}
	t.Log(size, time.Since(t0)/3)
	c.Drop()
	}
  })})
 }
}
