// Where published messages come back: the streams of `rtctl subscribe`.
#include "rtctl/publish_loop.h"
#include "rtctl/sources.h"

namespace rt::rtctl {

std::function<Result<std::unique_ptr<EventStream>>(const std::string& id)> echo_stream(
    EchoWords words, const cli::HttpFlags& http) {
  return [words = std::move(words),
          http](const std::string& id) -> Result<std::unique_ptr<EventStream>> {
    SourceFlags flags;
    for (const std::string& word : words.words) flags.words.push_back(word == "{id}" ? id : word);
    flags.url = words.url;
    flags.dsn = words.dsn;
    flags.redis = words.redis;
    flags.stream = words.stream;
    flags.http = http;
    OpenSource source = RT_TRY(open_source(flags, {}, SystemClock().wall()));
    return std::move(source.stream);
  };
}

}  // namespace rt::rtctl
