// Sources over HTTP: any event stream, and the surfaces of our own server.
#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "base/position.h"
#include "base/text.h"
#include "base/units.h"
#include "cli/environment.h"
#include "rtctl/runs_query.h"
#include "rtctl/server_urls.h"
#include "rtctl/source_request.h"
#include "rtctl/sse_stream.h"
#include "rtctl/verbs.h"

namespace rt::rtctl {
namespace {

std::string server_of(const SourceFlags& flags) {
  if (!flags.url.empty()) return flags.url;
  const std::string set = cli::first_set({"RT_URL"});
  return set.empty() ? std::string(kDefaultUrl) : set;
}

Result<SseOptions> sse_options(const SourceRequest& request) {
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
Result<void> refuse_times(const SourceRequest& request, std::string_view what) {
  using Kind = Since::Kind;
  if (request.since.kind == Kind::unset || request.since.kind == Kind::id) return {};
  return fail(Code::usage,
              fmt::format("{} resumes after an id, not from \"{}\"", what, request.flags.since),
              "leave --since out, or give the id of an event");
}

}  // namespace

OpenedStream open_url(const SourceRequest& request) {
  RT_CHECKED(refuse_times(request, "a plain event stream"));
  if (!request.flags.url.empty() && request.flags.url != request.word) {
    return fail(Code::usage, "two URLs are given");
  }
  return open_sse_stream(request.word, RT_TRY(sse_options(request)));
}

OpenedStream open_runs(const SourceRequest& request) {
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
  return open_sse_stream(runs_stream_url(server_of(request.flags), filter, with_initial),
                         RT_TRY(sse_options(request)));
}

OpenedStream open_topic(const SourceRequest& request) {
  RT_CHECKED(refuse_times(request, "a topic"));
  return open_sse_stream(RT_TRY(topic_url(server_of(request.flags), request.arguments.front())),
                         RT_TRY(sse_options(request)));
}

OpenedStream open_events(const SourceRequest& request) {
  RT_CHECKED(refuse_times(request, "a stream of events"));
  const std::string scope = request.arguments.empty() ? "" : request.arguments.front();
  return open_sse_stream(RT_TRY(events_url(server_of(request.flags), scope)),
                         RT_TRY(sse_options(request)));
}

OpenedStream open_realtime(const SourceRequest& request) {
  RT_CHECKED(refuse_times(request, "a realtime stream"));
  const std::vector<std::string> types(request.arguments.begin(), request.arguments.end());
  return open_sse_stream(RT_TRY(realtime_url(server_of(request.flags), types)),
                         RT_TRY(sse_options(request)));
}

OpenedStream open_job(const SourceRequest& request) {
  RT_CHECKED(refuse_times(request, "the stream of a job"));
  return open_sse_stream(RT_TRY(job_url(server_of(request.flags), request.arguments.front())),
                         RT_TRY(sse_options(request)));
}

}  // namespace rt::rtctl
