// What a recording holds as one HTML page with pictures: no scripts, nothing from elsewhere, light
// and dark, on a phone and on paper. Pure.
#pragma once

#include <string>

#include "rtreplay/survey.h"

namespace rt::rtreplay {

std::string info_html(const Survey& survey, const std::string& path);

}  // namespace rt::rtreplay
