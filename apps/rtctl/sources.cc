#include "rtctl/sources.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <span>
#include <utility>
#include <vector>

#include "base/text.h"
#include "rtctl/source_request.h"

namespace rt::rtctl {
namespace {

struct Kind {
  std::string_view word;
  std::string_view argument;  // as in help: "NAME", "[TYPE...]"; empty: takes none
  std::string_view what;      // for help
  std::size_t arguments_min;
  std::size_t arguments_max;
  bool tells_past;
  OpenedStream (*open)(const SourceRequest&);
};

constexpr std::size_t kMany = 1000;  // channels or types of one subscription
constexpr std::array kKinds = {
    Kind{"runs", "", "rows of the run table, from rtctl serve", 0, 0, true, open_runs},
    Kind{"topic", "NAME", "a topic", 1, 1, true, open_topic},
    Kind{"events", "[SCOPE:ID]", "events of a scope", 0, 1, false, open_events},
    Kind{"realtime", "[TYPE...]", "events of these types, or of all", 0, kMany, false,
         open_realtime},
    Kind{"job", "ID", "the states of a job", 1, 1, false, open_job},
    Kind{"wal", "", "row changes of a PostgreSQL publication", 0, 0, true, open_wal},
    Kind{"notify", "CHANNEL...", "notifications of PostgreSQL", 1, kMany, true, open_notify},
    Kind{"redis", "PATTERN...", "messages of Redis; --stream: entries of its streams", 1, kMany,
         true, open_redis},
};

bool is_url(const std::string& word) {
  return word.find("://") != std::string::npos;
}

tl::unexpected<Error> unknown_source(const std::string& word) {
  std::array<std::string_view, kKinds.size()> words;
  std::transform(kKinds.begin(), kKinds.end(), words.begin(), [](const Kind& k) { return k.word; });
  std::string hint = "give the URL of an event stream, or " + source_list();
  const auto near = nearest(word, words);
  if (near) hint = fmt::format("did you mean {}?", *near);
  if (!near && word.find_first_of(".:/") != std::string::npos) {
    hint = fmt::format("did you mean http://{}?", word);
  }
  return fail(Code::usage, fmt::format("unknown source \"{}\"", word), hint);
}

Result<Kind> choose(const std::vector<std::string>& words) {
  if (is_url(words.front())) return Kind{"url", "", "", 0, 0, false, open_url};
  const auto* kind = std::find_if(kKinds.begin(), kKinds.end(),
                                  [&](const Kind& k) { return k.word == words.front(); });
  if (kind == kKinds.end()) return unknown_source(words.front());
  return *kind;
}

Result<void> check_words(const Kind& kind, std::span<const std::string> arguments) {
  if (arguments.size() < kind.arguments_min) {
    return fail(Code::usage, fmt::format("{} needs a {}", kind.word, kind.argument),
                fmt::format("for example: rtctl sub {} {}", kind.word, kind.argument));
  }
  if (arguments.size() > kind.arguments_max) {
    return fail(Code::usage, fmt::format("unexpected word \"{}\"", arguments[kind.arguments_max]),
                "quote names that contain spaces or *");
  }
  return {};
}

Result<void> check_flags(const SourceFlags& flags, const Kind& kind) {
  const bool selects_runs = !flags.run_id.empty() || !flags.env_id.empty() || !flags.tags.empty();
  if (selects_runs && kind.word != "runs") {
    return fail(Code::usage, "--run, --env and --tag select runs, not events of another source",
                "for example: rtctl sub runs --run r1");
  }
  const bool selects_wal =
      !flags.slot.empty() || !flags.publication.empty() || !flags.tables.empty() || flags.snapshot;
  if (selects_wal && kind.word != "wal") {
    return fail(Code::usage, "--publication, --slot, --table and --snapshot belong to wal",
                "for example: rtctl sub wal --table orders");
  }
  if (flags.stream && kind.word != "redis") {
    return fail(Code::usage, "--stream belongs to redis",
                "for example: rtctl sub redis --stream KEY");
  }
  if (!flags.since.empty() && !flags.last_event_id.empty()) {
    return fail(Code::usage, "--since and --last-event-id both say where to begin");
  }
  return {};
}

Result<Since> where_to_begin(const SourceFlags& flags, const std::string& resume_id, WallTime now) {
  if (!resume_id.empty()) return Since{Since::Kind::id, resume_id, {}};
  if (!flags.last_event_id.empty()) return Since{Since::Kind::id, flags.last_event_id, {}};
  return parse_since(flags.since, now);
}

}  // namespace

std::string source_table() {
  std::string lines = "  URL                     an event stream over HTTP\n";
  for (const Kind& kind : kKinds) {
    lines += fmt::format("  {:<24}{}\n", fmt::format("{} {}", kind.word, kind.argument), kind.what);
  }
  return lines;
}

std::string source_list() {
  std::string list;
  for (const Kind& kind : kKinds) {
    if (!list.empty()) list += ", ";
    list += kind.word;
    if (!kind.argument.empty()) (list += ' ') += kind.argument;
  }
  return list;
}

Result<OpenSource> open_source(const SourceFlags& flags, const std::string& resume_id,
                               WallTime now) {
  std::vector<std::string> words = flags.words;
  if (words.empty() && !flags.url.empty()) words.push_back(flags.url);
  if (words.empty()) {
    return fail(Code::usage, "which stream? no source is given",
                "for example: rtctl sub https://example.com/events, or rtctl sub runs");
  }
  const Kind kind = RT_TRY(choose(words));
  const std::span<const std::string> arguments = std::span(words).subspan(1);
  RT_CHECKED(check_words(kind, arguments));
  RT_CHECKED(check_flags(flags, kind));
  const SourceRequest request{flags, words.front(), arguments,
                              RT_TRY(where_to_begin(flags, resume_id, now))};
  OpenSource source;
  source.stream = RT_TRY(kind.open(request));
  source.kind = kind.word;
  source.tells_past = kind.tells_past;
  return source;
}

}  // namespace rt::rtctl
