#include "pipe/redis_stream_source.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "archive/bodies.h"
#include "pipe/sessions.h"

namespace rt {

namespace {

using namespace std::chrono_literals;

constexpr std::string_view kAttempt = "cannot read a stream";
// Entries of each key in one reply: 64 make the round trip cheap, and a reply of 64 MiB, the most
// that the connection takes, leaves 1 MiB for each.
constexpr std::size_t kEntries = 64;
// For the replies to what was sent together.
constexpr Duration kReplyTimeout = 10s;

std::vector<std::string_view> views(const std::vector<std::string>& words) {
  return {words.begin(), words.end()};
}

// MULTI, the commands, EXEC: one moment of the server. The replies, errors among them.
Result<std::vector<RedisReply>> at_once(RedisConnection& connection,
                                        const std::vector<std::vector<std::string>>& commands) {
  RT_CHECKED(connection.send({"MULTI"}, kAttempt));
  for (const auto& words : commands) RT_CHECKED(connection.send(views(words), kAttempt));
  RT_CHECKED(connection.send({"EXEC"}, kAttempt));
  const Instant deadline = SystemClock().now() + kReplyTimeout;
  for (std::size_t left = commands.size() + 2; left > 0; --left) {
    auto reply = RT_TRY(connection.next(deadline, kAttempt));
    if (!reply) {
      return fail(Code::unreachable,
                  fmt::format("{} on {}: no answer in time", kAttempt, connection.endpoint()));
    }
    if (reply->kind == RedisReply::Kind::error) {
      return fail(redis_error(kAttempt, connection.endpoint(), reply->text));
    }
    if (left == 1) return std::move(reply->items);
  }
  return std::vector<RedisReply>();
}

RedisEntryId id_of(const RedisReply& entry) {
  if (entry.items.empty()) return {};
  return RedisEntryId::parse(entry.items.front().text).value_or(RedisEntryId());
}

}  // namespace

RedisStreamSource::RedisStreamSource(RedisStreamSourceOptions options, LinkWatch watch)
    : options_(std::move(options)), watch_(std::move(watch)) {}

Result<void> RedisStreamSource::run(std::stop_token stop, const Take& take) {
  for (const std::string& key : options_.keys) {
    if (std::count(options_.keys.begin(), options_.keys.end(), key) == 1) continue;
    return fail(Code::usage, fmt::format("stream {} is named twice", key));
  }
  return run_sessions(options_.reconnect, watch_, stop, take,
                      [this](Reconnector& link, Outlet& outlet, int cancel_fd) {
                        return session(link, outlet, cancel_fd);
                      });
}

// Success: the taker has failed.
Result<void> RedisStreamSource::session(Reconnector& link, Outlet& outlet, int cancel_fd) {
  RedisOptions connect;
  connect.client_name = options_.client_name;
  connect.cancel_fd = cancel_fd;
  RedisConnection connection = RT_TRY(RedisConnection::connect(options_.address, connect));
  if (cursors_.empty()) RT_CHECKED(resolve_begin(connection));
  link.opened();
  bool behind = true;
  for (;;) {
    const Read read =
        RT_TRY(behind ? read_available(connection, outlet) : read_next(connection, outlet));
    if (read != Read::none) link.received();
    if (!outlet.hand_over()) return {};
    if (read == Read::none) link.caught_up();
    behind = behind ? read != Read::none : read == Read::full;
  }
}

Result<void> RedisStreamSource::resolve_begin(RedisConnection& connection) {
  using At = RedisStreamBegin::At;
  const RedisStreamBegin& begin = options_.begin;
  if (begin.at == At::end || begin.at == At::last) return resolve_last(connection);
  for (std::size_t i = 0; i < options_.keys.size(); ++i) {
    RedisStreamCursor cursor{options_.keys[i], {}, false, {}};
    if (begin.at == At::time) {
      const std::int64_t us = std::max<std::int64_t>(0, unix_us(begin.time));
      cursor.after = RedisEntryId{static_cast<std::uint64_t>(us / 1000), 0}.before();
    } else if (begin.at == At::after && !begin.after.empty()) {
      cursor.after = begin.after[std::min(i, begin.after.size() - 1)];
      // What ends so stands for a time, not for an entry.
      cursor.is_entry = cursor.after != RedisEntryId() && cursor.after.sequence != UINT64_MAX;
    }
    cursors_.push_back(std::move(cursor));
  }
  return {};
}

// The end of each stream, or ahead of the newest entries of all together.
Result<void> RedisStreamSource::resolve_last(RedisConnection& connection) {
  const bool end = options_.begin.at == RedisStreamBegin::At::end || options_.begin.last == 0;
  const std::string count = std::to_string(end ? 1 : options_.begin.last);
  std::vector<RedisStreamCursor> cursors;
  std::vector<std::pair<RedisEntryId, std::size_t>> newest;  // and of which key
  for (const std::string& key : options_.keys) {
    const RedisReply reply =
        RT_TRY(connection.command({"XREVRANGE", key, "+", "-", "COUNT", count}, kAttempt));
    for (const RedisReply& entry : reply.items) newest.emplace_back(id_of(entry), cursors.size());
    const RedisEntryId last = reply.items.empty() ? RedisEntryId() : id_of(reply.items.front());
    cursors.push_back({key, last, last != RedisEntryId(), {}});
  }
  if (!end) {
    std::sort(newest.begin(), newest.end(), std::greater<>());
    newest.resize(std::min<std::size_t>(newest.size(), options_.begin.last));
    for (const auto& [id, key] : newest) {  // the oldest last
      cursors[key].after = id.before();
      cursors[key].is_entry = false;
    }
  }
  cursors_ = std::move(cursors);
  return {};
}

Result<RedisStreamSource::Read> RedisStreamSource::read_available(RedisConnection& connection,
                                                                  Outlet& outlet) {
  std::vector<std::vector<std::string>> commands;
  for (const RedisStreamCursor& cursor : cursors_) {
    commands.push_back({"XINFO", "STREAM", cursor.key});
  }
  commands.push_back(xread({"COUNT", std::to_string(kEntries)}));
  const auto replies = RT_TRY(at_once(connection, commands));
  if (replies.size() != commands.size()) {
    return fail(Code::refused,
                fmt::format("{} on {}: not an answer to EXEC", kAttempt, connection.endpoint()));
  }
  bool moved = false;
  for (std::size_t i = 0; i < cursors_.size(); ++i) {
    const RedisEntryId before = cursors_[i].after;
    const auto gap = cursors_[i].check(RedisStreamFacts::read(replies[i]));
    moved = moved || before != cursors_[i].after;
    if (!gap) continue;
    outlet.put(RecordKind::gap, *gap);
    gaps_.fetch_add(1, std::memory_order_relaxed);
  }
  const RedisReply& entries = replies.back();
  if (entries.kind == RedisReply::Kind::error) {
    return fail(redis_error(kAttempt, connection.endpoint(), entries.text));
  }
  const Read read = put_entries(entries, outlet);
  return read == Read::none && moved ? Read::some : read;
}

Result<RedisStreamSource::Read> RedisStreamSource::read_next(RedisConnection& connection,
                                                             Outlet& outlet) {
  // The connection's keepalives find out about a server that is gone.
  const auto words = xread({"COUNT", std::to_string(kEntries), "BLOCK", "0"});
  RT_CHECKED(connection.send(views(words), kAttempt));
  const auto reply = RT_TRY(connection.next(Instant::max(), kAttempt));
  if (!reply) return Read::none;
  if (reply->kind == RedisReply::Kind::error) {
    return fail(redis_error(kAttempt, connection.endpoint(), reply->text));
  }
  return put_entries(*reply, outlet);
}

// [[key, [[id, [field, value, ...]], ...]], ...] or nil.
RedisStreamSource::Read RedisStreamSource::put_entries(const RedisReply& reply, Outlet& outlet) {
  Read read = Read::none;
  for (const RedisReply& stream : reply.items) {
    if (stream.items.size() != 2) continue;
    const auto cursor = std::find_if(
        cursors_.begin(), cursors_.end(),
        [&](const RedisStreamCursor& known) { return known.key == stream.items[0].text; });
    if (cursor == cursors_.end()) continue;
    const std::vector<RedisReply>& entries = stream.items[1].items;
    for (const RedisReply& entry : entries) {
      if (entry.items.size() != 2) continue;
      fields_.clear();
      const std::vector<RedisReply>& words = entry.items[1].items;
      for (std::size_t i = 0; i + 1 < words.size(); i += 2) {
        archive::encode(fields_, archive::RedisField{words[i].text, words[i + 1].text});
      }
      cursor->after = id_of(entry);
      cursor->is_entry = true;
      body_.clear();
      archive::encode(body_, archive::RedisBody{entry.items.front().text, cursor->key, fields_});
      outlet.put(RecordKind::redis, body_);
      events_.fetch_add(1, std::memory_order_relaxed);
    }
    if (entries.size() >= kEntries) read = Read::full;
    if (!entries.empty() && read == Read::none) read = Read::some;
  }
  return read;
}

std::vector<std::string> RedisStreamSource::xread(const std::vector<std::string>& options) const {
  std::vector<std::string> words = {"XREAD"};
  words.insert(words.end(), options.begin(), options.end());
  words.emplace_back("STREAMS");
  for (const RedisStreamCursor& cursor : cursors_) words.push_back(cursor.key);
  for (const RedisStreamCursor& cursor : cursors_) words.push_back(cursor.after.text());
  return words;
}

}  // namespace rt
