// The page at /, as the build copied it from page.html.
#pragma once

#include <string_view>

namespace rt::server {

extern const std::string_view kPageHtml;

}  // namespace rt::server
