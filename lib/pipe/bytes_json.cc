#include "pipe/bytes_json.h"

#include "base/text.h"

namespace rt {

void append_bytes_json(std::string& out, std::string_view bytes) {
  if (is_valid_utf8(bytes)) return append_json_string(out, bytes);
  out += R"({"base64":")";
  append_base64(out, bytes);
  out += "\"}";
}

}  // namespace rt
