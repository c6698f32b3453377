package websocket

// HaveLoops says whether this system has event loops.
const HaveLoops = haveLoops
