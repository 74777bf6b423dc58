#include "proto/pgoutput_two_phase.h"

#include <catch2/catch.hpp>

#include "proto/pgoutput_writer.h"

using namespace rt::pgoutput;
using Kind = TwoPhase::Kind;

TEST_CASE("two phase: each message comes back as it was written", "[pgoutput]") {
  for (const Kind kind : {Kind::begin_prepare, Kind::prepare, Kind::commit_prepared,
                          Kind::rollback_prepared, Kind::stream_prepare}) {
    const TwoPhase message{kind, 0x1122334455667788, 0x99, Timestamp{-5}, 700, "a gid"};
    std::string body;
    append_two_phase(body, message);
    CAPTURE(body);
    const auto decoded = decode_two_phase(body);
    REQUIRE(decoded);
    CHECK(decoded->kind == kind);
    CHECK(decoded->lsn == message.lsn);
    CHECK(decoded->end_lsn == message.end_lsn);
    CHECK(decoded->time == message.time);
    CHECK(decoded->xid == 700);
    CHECK(decoded->gid == "a gid");
    // To the decoder of ordinary messages it is one of those that are kept raw.
    const auto result = decode(body);
    REQUIRE(result);
    CHECK(std::get<Unknown>(result.message).raw == body);
    for (std::size_t cut = 0; cut < body.size(); ++cut) {
      CHECK_FALSE(decode_two_phase(std::string_view(body).substr(0, cut)));
    }
    CHECK_FALSE(decode_two_phase(body + "x"));
  }
}

TEST_CASE("two phase: other messages are none", "[pgoutput]") {
  std::string commit;
  append_commit(commit, {0, 1, 2, {}});
  CHECK_FALSE(decode_two_phase(commit));
  CHECK_FALSE(decode_two_phase(""));
  CHECK_FALSE(is_two_phase_letter('C'));
}
