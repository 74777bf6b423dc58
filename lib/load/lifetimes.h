// Durations drawn from a distribution of a scenario. Pure; any thread.
#pragma once

#include "base/clock.h"
#include "base/random.h"
#include "load/scenario_behaviour.h"

namespace rt {

Duration draw(const DurationSpec& spec, Random& random);

}  // namespace rt
