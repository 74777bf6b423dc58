#include "rtreplay/play_targets.h"

#include <fmt/format.h>

#include "rtreplay/play_sinks.h"

namespace rt::rtreplay {
namespace {

bool has_scheme(const std::string& to, std::string_view scheme) {
  return std::string_view(to).substr(0, scheme.size()) == scheme;
}

Result<LineFormat> line_format(const std::string& format) {
  if (format == "ndjson") return LineFormat::ndjson;
  if (format == "text") return LineFormat::text;
  return fail(Code::usage, fmt::format("unknown format \"{}\"", format), "one of ndjson, text");
}

PostgresTarget postgres_of(const TargetOptions& options) {
  PostgresTarget target = options.postgres;
  target.dsn = options.to;
  target.yes = options.yes;
  return target;
}

MessageTarget messages_of(const TargetOptions& options) {
  MessageTarget target = options.messages;
  target.yes = options.yes;
  return target;
}

Result<PlayTarget> open_messages(const TargetOptions& options, int cancel_fd) {
  auto sink = RT_TRY(MessageSink::open(options.to, messages_of(options), cancel_fd));
  PlayTarget target;
  target.report = [raw = sink.get()] { raw->report(); };
  target.sink = std::move(sink);
  return target;
}

Result<PlayTarget> open_postgres(const TargetOptions& options,
                                 const archive::SegmentHeader& recording, int cancel_fd,
                                 const Clock& clock) {
  auto sink = RT_TRY(open_postgres_target(postgres_of(options), recording, cancel_fd, clock));
  PlayTarget target;
  const std::uint64_t applied = sink->applier().applied_lsn();
  if (applied > 0) target.resume = Position{applied, 0};
  target.report = [raw = sink.get()] { report_postgres(*raw); };
  target.sink = std::move(sink);
  return target;
}

}  // namespace

Result<TargetKind> target_kind(const std::string& to) {
  if (to == "null") return TargetKind::null;
  if (to == "stdout" || to == "-") return TargetKind::out;
  if (to == "sse") return TargetKind::sse;
  if (has_scheme(to, "postgresql://") || has_scheme(to, "postgres://")) return TargetKind::postgres;
  for (const char* scheme : {"http://", "https://", "redis://"}) {
    if (has_scheme(to, scheme)) return TargetKind::messages;
  }
  if (to == "notify") return TargetKind::messages;
  return fail(Code::usage, fmt::format("unknown target \"{}\"", to),
              "one of postgresql://.., http://.., redis://.., notify, sse, stdout, null");
}

Result<void> check_target(const TargetOptions& options) {
  RT_TRY(line_format(options.format));
  switch (RT_TRY(target_kind(options.to))) {
    case TargetKind::postgres:
      return check_postgres_target(postgres_of(options));
    case TargetKind::messages:
      return check_message_target(options.to, messages_of(options));
    case TargetKind::null:
    case TargetKind::out:
    case TargetKind::sse:
      return {};
  }
  return {};
}

Result<PlayTarget> open_target(const TargetOptions& options,
                               const archive::SegmentHeader& recording, int cancel_fd,
                               const Clock& clock) {
  switch (RT_TRY(target_kind(options.to))) {
    case TargetKind::out:
      return PlayTarget{make_stdout_sink(RT_TRY(line_format(options.format))), {}, {}, true};
    case TargetKind::postgres:
      return open_postgres(options, recording, cancel_fd, clock);
    case TargetKind::messages:
      return open_messages(options, cancel_fd);
    case TargetKind::null:
    case TargetKind::sse:
      break;
  }
  return PlayTarget{make_null_sink(), {}, {}, false};
}

}  // namespace rt::rtreplay
