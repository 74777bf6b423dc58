// What a long-running tool says about itself: key=value lines on standard error. Never per event.
#pragma once

#include <string>
#include <string_view>

namespace rt::log {

enum class Level { error, warn, info, debug };
enum class Format { key_value, json };

// Once, before other threads start. Default: info, key_value.
void configure(Level level, Format format);

// message: a few words; fields: "key=value key2=\"two words\"" already formatted (see field()).
// Thread-safe.
void error(std::string_view message, std::string_view fields = {});
void warn(std::string_view message, std::string_view fields = {});
void info(std::string_view message, std::string_view fields = {});
void debug(std::string_view message, std::string_view fields = {});

// "key=value", the value quoted if it has spaces, quotes or is empty.
std::string field(std::string_view key, std::string_view value);

}  // namespace rt::log
