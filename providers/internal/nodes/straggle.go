package nodes

import "time"

// Straggles is how long a container may still come that an engine was asked for by one
// who was ended meanwhile: making one takes seconds on a machine that is busy.
const Straggles = 5 * time.Second
