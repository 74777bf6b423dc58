// The shards of a run agree on their start at a URL, where shard 0 listens: for machines that share
// no folder. Blocking; one thread.
#pragma once

#include "load/rendezvous.h"

namespace rt::rtbench {

// place.place is the URL, http://HOST:PORT. Errors as those of agree_on_start().
Result<WallTime> agree_at_url(const Rendezvous& place, const Clock& clock, const Pause& pause);

}  // namespace rt::rtbench
