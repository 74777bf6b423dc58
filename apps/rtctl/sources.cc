#include "rtctl/sources.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <span>
#include <utility>
#include <vector>

#include "base/position.h"
#include "base/text.h"
#include "base/units.h"
#include "cli/environment.h"
#include "rtctl/runs_query.h"
#include "rtctl/server_urls.h"
#include "rtctl/since.h"
#include "rtctl/sse_stream.h"
#include "rtctl/verbs.h"

namespace rt::rtctl {
namespace {

using Stream = Result<std::unique_ptr<EventStream>>;

// What every source is opened from.
struct Request {
  const SourceFlags& flags;
  std::string word;                        // the source's name, or a URL
  std::span<const std::string> arguments;  // the words after it
  Since since;                             // of kind id: where to resume

  std::string server() const {
    if (!flags.url.empty()) return flags.url;
    const std::string set = cli::first_set({"RT_URL"});
    return set.empty() ? std::string(kDefaultUrl) : set;
  }
};

// --- over HTTP -----------------------------------------------------------------------------------

Result<SseOptions> sse_options(const Request& request) {
  const SourceFlags& flags = request.flags;
  SseOptions options;
  options.http = RT_TRY(flags.http.options());
  if (request.since.kind == Since::Kind::id) options.last_event_id = request.since.id;
  options.reconnect = !flags.no_reconnect;
  options.strict = flags.strict;
  options.heartbeat_timeout = RT_TRY(parse_duration(flags.heartbeat_timeout));
  // The parser counts in 32 bits; an event beyond 2 GiB is no event.
  const std::uint64_t event_bytes = RT_TRY(parse_bytes(flags.max_event));
  options.event_bytes_max =
      static_cast<std::uint32_t>(std::min<std::uint64_t>(event_bytes, 1u << 31));
  if (!flags.max_retries.empty()) {
    const std::uint64_t retries = RT_TRY(parse_count(flags.max_retries));
    options.retries_max = static_cast<std::uint32_t>(std::min<std::uint64_t>(retries, 1u << 30));
  }
  return options;
}

// Streams that begin where their server decides, or after an id.
Result<void> refuse_times(const Request& request, std::string_view what) {
  using Kind = Since::Kind;
  if (request.since.kind == Kind::unset || request.since.kind == Kind::id) return {};
  return fail(Code::usage,
              fmt::format("{} resumes after an id, not from \"{}\"", what, request.flags.since),
              "leave --since out, or give the id of an event");
}

Stream open_url(const Request& request) {
  RT_CHECKED(refuse_times(request, "a plain event stream"));
  if (!request.flags.url.empty() && request.flags.url != request.word) {
    return fail(Code::usage, "two URLs are given");
  }
  return open_sse_stream(request.word, RT_TRY(sse_options(request)));
}

Stream open_runs(const Request& request) {
  const SourceFlags& flags = request.flags;
  RunsFilter filter;
  if (!flags.run_id.empty()) filter.run_id = flags.run_id;
  if (!flags.env_id.empty()) filter.env_id = flags.env_id;
  filter.tags = flags.tags;
  const Since& since = request.since;
  if (since.kind == Since::Kind::time) filter.created_since = since.time;
  if (since.kind == Since::Kind::id && !Position::parse(since.id) && !parse_decimal(since.id)) {
    return fail(Code::usage,
                fmt::format("\"{}\" is neither a time nor the id of an event", since.id),
                "for example --since 15m, 2026-03-29T00:30:00Z or 000000014D7E3B28-00000002");
  }
  const bool with_initial = since.kind != Since::Kind::end;
  return open_sse_stream(runs_stream_url(request.server(), filter, with_initial),
                         RT_TRY(sse_options(request)));
}

Stream open_topic(const Request& request) {
  RT_CHECKED(refuse_times(request, "a topic"));
  return open_sse_stream(RT_TRY(topic_url(request.server(), request.arguments.front())),
                         RT_TRY(sse_options(request)));
}

Stream open_events(const Request& request) {
  RT_CHECKED(refuse_times(request, "a stream of events"));
  const std::string scope = request.arguments.empty() ? "" : request.arguments.front();
  return open_sse_stream(RT_TRY(events_url(request.server(), scope)), RT_TRY(sse_options(request)));
}

Stream open_realtime(const Request& request) {
  RT_CHECKED(refuse_times(request, "a realtime stream"));
  const std::vector<std::string> types(request.arguments.begin(), request.arguments.end());
  return open_sse_stream(RT_TRY(realtime_url(request.server(), types)),
                         RT_TRY(sse_options(request)));
}

Stream open_job(const Request& request) {
  RT_CHECKED(refuse_times(request, "the stream of a job"));
  return open_sse_stream(RT_TRY(job_url(request.server(), request.arguments.front())),
                         RT_TRY(sse_options(request)));
}

// --- the table -----------------------------------------------------------------------------------

struct Kind {
  std::string_view word;
  std::string_view argument;  // as in help: "NAME", "[TYPE...]"; empty: takes none
  std::string_view what;      // for help
  std::size_t arguments_min;
  std::size_t arguments_max;
  bool tells_past;
  Stream (*open)(const Request&);
};

constexpr std::size_t kMany = 1000;  // channels or types of one subscription
constexpr std::array kKinds = {
    Kind{"runs", "", "rows of the run table, from rtctl serve", 0, 0, true, open_runs},
    Kind{"topic", "NAME", "a topic", 1, 1, true, open_topic},
    Kind{"events", "[SCOPE:ID]", "events of a scope", 0, 1, false, open_events},
    Kind{"realtime", "[TYPE...]", "events of these types, or of all", 0, kMany, false,
         open_realtime},
    Kind{"job", "ID", "the states of a job", 1, 1, false, open_job},
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
  const Request request{flags, words.front(), arguments,
                        RT_TRY(where_to_begin(flags, resume_id, now))};
  OpenSource source;
  source.stream = RT_TRY(kind.open(request));
  source.kind = kind.word;
  source.tells_past = kind.tells_past;
  return source;
}

}  // namespace rt::rtctl
