// Any line: both readers agree, and the row written again reads back the same.
#include <cstdlib>
#include <string>
#include <vector>

#include "proto/copy_text.h"
#include "proto/pgoutput.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string line(bytes, bytes + size);
  std::string tuple_bytes;
  if (!rt::copy_text_to_tuple(line, tuple_bytes)) return 0;
  const auto tuple = rt::pgoutput::decode_tuple(tuple_bytes);
  if (!tuple) std::abort();

  rt::CopyLineReader reader(line);
  rt::CopyColumn column;
  std::string scratch;
  for (const rt::pgoutput::Value value : *tuple) {
    if (!reader.next(column, scratch)) std::abort();
    if (column.is_null != (value.kind == rt::pgoutput::ValueKind::null)) std::abort();
    if (column.text != value.bytes) std::abort();
  }
  if (reader.next(column, scratch)) std::abort();

  std::string again;
  if (!rt::tuple_to_copy_text(*tuple, again)) std::abort();
  std::string tuple_again;
  if (!rt::copy_text_to_tuple(again, tuple_again) || tuple_again != tuple_bytes) std::abort();
  return 0;
}
