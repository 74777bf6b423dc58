// Settings from the environment: the first variable of the list that is set and not empty.
#pragma once

#include <initializer_list>
#include <string>

namespace rt::cli {

// Empty if none is.
std::string first_set(std::initializer_list<const char*> names);

}  // namespace rt::cli
