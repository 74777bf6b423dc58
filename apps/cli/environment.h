// Settings from the environment.
#pragma once

#include <initializer_list>
#include <string>

#include "base/log.h"
#include "base/result.h"

namespace rt::cli {

// The first variable of the list that is set and not empty; empty if none is.
std::string first_set(std::initializer_list<const char*> names);

// RT_LOG (error, warn, info, debug), else `otherwise`. Code::usage on another word.
Result<log::Level> log_level(log::Level otherwise);

}  // namespace rt::cli
