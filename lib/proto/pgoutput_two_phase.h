// The messages about prepared transactions that protocol 3 of pgoutput adds (option two_phase,
// servers from 15 on): what stands between Begin Prepare and Prepare are the messages of an
// ordinary transaction. To pgoutput::decode() they are Unknown; here is what they say. Sans-IO, no
// state: thread-safe. Source: PostgreSQL 15, section 55.9, and
// src/backend/replication/logical/proto.c.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "proto/pgoutput.h"

namespace rt::pgoutput {

struct TwoPhase {
  enum class Kind : char {
    begin_prepare = 'b',
    prepare = 'P',
    commit_prepared = 'K',
    rollback_prepared = 'r',
    stream_prepare = 'p',  // a streamed transaction was prepared instead of committed
  };
  Kind kind = Kind::begin_prepare;
  // Of the prepare or commit record; of a rollback the end of the prepare.
  std::uint64_t lsn = 0;
  std::uint64_t end_lsn = 0;  // the position to confirm; of begin_prepare: that of its Prepare
  Timestamp time;             // of the prepare, the commit, or the rollback
  std::uint32_t xid = 0;
  std::string_view gid;  // the name given in PREPARE TRANSACTION
};

inline bool is_two_phase_letter(char letter) {
  return letter == 'b' || letter == 'P' || letter == 'K' || letter == 'r' || letter == 'p';
}

// nullopt: another message, or a malformed one.
std::optional<TwoPhase> decode_two_phase(std::string_view body);

// The message as decoded, back to its bytes; of a rollback the time of the prepare is not known and
// left 0.
void append_two_phase(std::string& out, const TwoPhase& message);

}  // namespace rt::pgoutput
