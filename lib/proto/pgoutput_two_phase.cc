#include "proto/pgoutput_two_phase.h"

#include "base/result.h"
#include "proto/big_endian.h"

namespace rt::pgoutput {
namespace {

bool has_flags(TwoPhase::Kind kind) {
  return kind != TwoPhase::Kind::begin_prepare;
}
bool has_prepare_time(TwoPhase::Kind kind) {
  return kind == TwoPhase::Kind::rollback_prepared;
}

}  // namespace

std::optional<TwoPhase> decode_two_phase(std::string_view body) {
  if (body.empty() || !is_two_phase_letter(body[0])) return std::nullopt;
  TwoPhase message;
  message.kind = static_cast<TwoPhase::Kind>(body[0]);
  std::size_t at = has_flags(message.kind) ? 2 : 1;
  const std::size_t times = has_prepare_time(message.kind) ? 2 : 1;
  const std::size_t name_at = at + 8 + 8 + 8 * times + 4;
  if (body.size() <= name_at || body.find('\0', name_at) != body.size() - 1) return std::nullopt;
  const auto next = [&] {
    at += 8;
    return load_big_endian<std::uint64_t>(body.data() + at - 8);
  };
  message.lsn = next();
  message.end_lsn = next();
  if (times == 2) next();
  message.time.pg_us = static_cast<std::int64_t>(next());
  message.xid = load_big_endian<std::uint32_t>(body.data() + at);
  message.gid = body.substr(name_at, body.size() - 1 - name_at);
  return message;
}

void append_two_phase(std::string& out, const TwoPhase& message) {
  RT_CHECK(message.gid.find('\0') == std::string_view::npos);
  out.push_back(static_cast<char>(message.kind));
  if (has_flags(message.kind)) out.push_back('\0');
  append_big_endian(out, message.lsn);
  append_big_endian(out, message.end_lsn);
  if (has_prepare_time(message.kind)) append_big_endian(out, std::uint64_t{0});
  append_big_endian(out, message.time.pg_us);
  append_big_endian(out, message.xid);
  out.append(message.gid);
  out.push_back('\0');
}

}  // namespace rt::pgoutput
