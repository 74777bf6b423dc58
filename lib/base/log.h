// What a tool says about itself: key=value lines on standard error, or in a file. Never per event.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace rt::log {

enum class Level { error, warn, info, debug };
enum class Format { key_value, json };

// Once, before other threads start. Default: info, key_value.
void configure(Level level, Format format);

// From now on into this file, behind what is in it. Code::usage: it cannot be written. Once, before
// other threads start.
Result<void> to_file(const std::string& path);
// The file under its name again, after somebody moved the old one away. Nothing without to_file();
// the old one goes on if the new one cannot be opened. Thread-safe.
void reopen();

// message: a few words; fields: "key=value key2=\"two words\"" already formatted (see field()).
// Thread-safe.
void error(std::string_view message, std::string_view fields = {});
void warn(std::string_view message, std::string_view fields = {});
void info(std::string_view message, std::string_view fields = {});
void debug(std::string_view message, std::string_view fields = {});

// "key=value", the value quoted if it has spaces, quotes or is empty.
std::string field(std::string_view key, std::string_view value);

}  // namespace rt::log
