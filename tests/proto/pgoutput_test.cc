// The pgoutput codec against bytes a PostgreSQL 15 has sent, and against damage.
#include "proto/pgoutput.h"

#include <rapidcheck/catch.h>

#include <array>

#include "proto/guard_page.h"
#include "proto/pgoutput_golden.h"
#include "proto/pgoutput_writer.h"

using namespace rt::pgoutput;
using rt::test::from_hex;
using rt::test::Golden;
using rt::test::GuardPage;
using rt::test::read_goldens;
using rt::test::says;

namespace {

const std::array<std::string, 3> kGoldenFiles = {"pgoutput_protocol1.txt", "pgoutput_streaming.txt",
                                                 "pgoutput_binary.txt"};

template <typename T>
T decoded(const std::string& body) {
  const DecodeResult result = decode(body);
  INFO(decode_error_text(result.error));
  REQUIRE(std::holds_alternative<T>(result.message));
  return std::get<T>(result.message);
}

void check_error(const std::string& hex, DecodeError error, std::size_t offset) {
  const DecodeResult result = decode(from_hex(hex));
  INFO(hex << ": " << decode_error_text(result.error));
  CHECK(result.error == error);
  CHECK(result.error_offset == offset);
}

}  // namespace

TEST_CASE("pgoutput: every message of a PostgreSQL 15 decodes to what it says",
          "[proto][pgoutput]") {
  for (const std::string& file : kGoldenFiles) {
    for (const Golden& golden : read_goldens(file)) {
      const DecodeResult result = decode(golden.bytes, {golden.in_stream});
      CHECK(result);
      CHECK(says(result) == golden.says);
    }
  }
}

TEST_CASE("pgoutput: every message of a PostgreSQL 15 encodes back to the same bytes",
          "[proto][pgoutput]") {
  for (const std::string& file : kGoldenFiles) {
    for (const Golden& golden : read_goldens(file)) {
      const DecodeResult result = decode(golden.bytes, {golden.in_stream});
      std::string bytes;
      append(bytes, result.message, {golden.in_stream}, result.stream_xid);
      INFO(golden.says);
      CHECK(bytes == golden.bytes);
    }
  }
}

TEST_CASE("pgoutput: a message cut anywhere is an error and no byte behind it is read",
          "[proto][pgoutput]") {
  GuardPage guard(16'384);
  for (const std::string& file : kGoldenFiles) {
    for (const Golden& golden : read_goldens(file)) {
      for (std::size_t size = 0; size < golden.bytes.size(); ++size) {
        const std::string_view cut = std::string_view(golden.bytes).substr(0, size);
        const DecodeResult result = decode(guard.place(cut), {golden.in_stream});
        if (result.error != DecodeError::truncated || result.error_offset > size) {
          INFO(golden.says << ", cut to " << size << ": " << decode_error_text(result.error));
          FAIL();
        }
      }
    }
  }
  SUCCEED();
}

TEST_CASE("pgoutput: a byte after a complete message is an error where it stands",
          "[proto][pgoutput]") {
  for (const Golden& golden : read_goldens("pgoutput_streaming.txt")) {
    if (golden.says.starts_with("stream abort")) continue;  // may go on with a position
    const DecodeResult result = decode(golden.bytes + '\0', {golden.in_stream});
    INFO(golden.says);
    CHECK(result.error == DecodeError::trailing_bytes);
    CHECK(result.error_offset == golden.bytes.size());
  }
}

TEST_CASE("pgoutput: whatever one wrong byte does, the decoder stays inside and its inverse agrees",
          "[proto][pgoutput]") {
  GuardPage guard(16'384);
  std::size_t still_valid = 0;
  for (const Golden& golden : read_goldens("pgoutput_streaming.txt")) {
    if (golden.bytes.size() > 300) continue;
    for (std::size_t at = 0; at < golden.bytes.size(); ++at) {
      for (const int wrong : {0x00, 0x01, 0x7f, 0x80, 0xff, 0x6e, 0x74, 0x4e}) {
        std::string bytes = golden.bytes;
        bytes[at] = static_cast<char>(wrong);
        const DecodeResult result = decode(guard.place(bytes), {golden.in_stream});
        says(result);  // walks everything
        if (!result) continue;
        ++still_valid;
        std::string again;
        append(again, result.message, {golden.in_stream}, result.stream_xid);
        REQUIRE(again == bytes);
      }
    }
  }
  CHECK(still_valid > 1'000);
}

TEST_CASE("pgoutput: each kind of damage is named, with its offset", "[proto][pgoutput]") {
  check_error("", DecodeError::truncated, 0);
  check_error("49000000014e0681", DecodeError::bad_count, 6);             // 1,665 columns
  check_error("49000000014effff", DecodeError::bad_count, 6);             // -1 columns
  check_error("49000000014e000178", DecodeError::bad_kind, 8);            // value kind x
  check_error("49000000014e000174ffffffff", DecodeError::bad_length, 9);  // length -1
  check_error("49000000014e00017400000005", DecodeError::truncated, 13);  // 5 bytes promised
  check_error("4900000001580000", DecodeError::bad_tag, 5);               // X for N
  check_error("5500000001580000", DecodeError::bad_tag, 5);               // X for K, O or N
  check_error("55000000014b00004f0000", DecodeError::bad_tag, 8);         // O for N after K
  check_error("44000000014e0000", DecodeError::bad_tag, 5);               // N for K or O
  check_error("54ffffffff00", DecodeError::bad_count, 1);                 // -1 relations
  check_error("547fffffff00", DecodeError::truncated, 6);                 // 2^31-1 relations
  check_error("4d00000000000000000100ffffffff", DecodeError::bad_length,
              11);  // content of -1 bytes
  check_error("530000000102", DecodeError::bad_flag, 5);
  check_error("4f00000000000000016162", DecodeError::truncated, 9);  // name without its NUL
}

TEST_CASE("pgoutput: letters it does not know are kept raw and are no error", "[proto][pgoutput]") {
  for (const std::string body : {"b\1\2\3", "P", "K1234", "?", "\xff"}) {
    const DecodeResult result = decode(body);
    REQUIRE(result);
    const auto& unknown = std::get<Unknown>(result.message);
    CHECK(unknown.letter == body[0]);
    CHECK(unknown.raw == body);
  }
}

TEST_CASE("pgoutput: a Begin's time is also Unix time", "[proto][pgoutput]") {
  // 2000-01-01 00:00:01 UTC
  CHECK(Timestamp{1'000'000}.unix_us() == 946'684'801'000'000);
  CHECK(Timestamp::from_unix_us(946'684'801'000'000).pg_us == 1'000'000);
  CHECK(Timestamp::from_unix_us(Timestamp{INT64_MAX}.unix_us()).pg_us ==
        INT64_MAX);  // wraps, no trap
}

TEST_CASE("pgoutput: without 'in stream' no xid is read, within it one is", "[proto][pgoutput]") {
  const std::string plain = from_hex("49000000074e0000");
  CHECK(std::get<Insert>(decode(plain).message).relation == 7);
  const std::string streamed = from_hex("490000002a000000074e0000");
  const DecodeResult result = decode(streamed, {.in_stream = true});
  REQUIRE(result);
  CHECK(result.stream_xid == 42);
  CHECK(std::get<Insert>(result.message).relation == 7);
  CHECK_FALSE(decode(streamed));
}

TEST_CASE("pgoutput: a protocol 4 abort carries where and when", "[proto][pgoutput]") {
  const auto abort =
      decoded<StreamAbort>(from_hex("410000000100000002"
                                    "00000000000000ff"
                                    "0000000000000005"));
  CHECK(abort.has_position);
  CHECK(abort.subxid == 2);
  CHECK(abort.abort_lsn == 0xff);
  CHECK(abort.abort_time.pg_us == 5);
}

TEST_CASE("pgoutput: column i of a row is the i-th that iteration yields", "[proto][pgoutput]") {
  const std::array<Value, 4> row = {Value{ValueKind::text, "a"},
                                    {ValueKind::null, {}},
                                    {ValueKind::unchanged, {}},
                                    {ValueKind::text, ""}};
  std::string body;
  append_insert(body, 1, row);
  const auto insert = decoded<Insert>(body);
  REQUIRE(insert.row.size() == 4);
  std::size_t i = 0;
  for (const Value value : insert.row) {
    CHECK(value == row[i]);
    CHECK(insert.row[i] == row[i]);
    ++i;
  }
  CHECK(i == 4);
}

TEST_CASE("pgoutput: a tuple made elsewhere is checked before it is believed",
          "[proto][pgoutput]") {
  CHECK_FALSE(decode_tuple(""));
  CHECK_FALSE(decode_tuple(from_hex("0001")));
  CHECK_FALSE(decode_tuple(from_hex("00016e6e")));  // a byte too many
  REQUIRE(decode_tuple(from_hex("00016e")));
  CHECK(decode_tuple(from_hex("00016e"))->size() == 1);
}

TEST_CASE("pgoutput: the writer's functions make the bytes the documentation lists",
          "[proto][pgoutput]") {
  const auto check = [](auto write, const std::string& hex) {
    std::string bytes = "before";
    write(bytes);
    CHECK(bytes == "before" + from_hex(hex));
  };
  const std::array<Value, 2> key = {Value{ValueKind::text, "1"}, {ValueKind::null, {}}};
  const std::array<Value, 2> row = {Value{ValueKind::text, "1"}, {ValueKind::unchanged, {}}};
  const std::array<Column, 1> columns = {Column{1, "id", 20, -1}};
  const std::array<std::uint32_t, 2> oids = {1, 2};
  check(
      [&](auto& o) {
        append_begin(o, {0x10, {0x20}, 0x30});
      },
      "42"
      "0000000000000010"
      "0000000000000020"
      "00000030");
  check(
      [&](auto& o) {
        append_commit(o, {0, 0x10, 0x18, {0x20}});
      },
      "4300"
      "0000000000000010"
      "0000000000000018"
      "0000000000000020");
  check([&](auto& o) { append_relation(o, 7, "s", "t", 'f', columns); },
        "5200000007"
        "7300"
        "7400"
        "66"
        "0001"
        "01696400"
        "00000014"
        "ffffffff");
  check([&](auto& o) { append_insert(o, 7, key); },
        "4900000007"
        "4e0002"
        "740000000131"
        "6e");
  check([&](auto& o) { append_insert(o, 7, TupleView{}); },
        "4900000007"
        "4e0000");
  check([&](auto& o) { append_update(o, 7, OldRow::none, {}, row); },
        "5500000007"
        "4e0002"
        "740000000131"
        "75");
  check([&](auto& o) { append_update(o, 7, OldRow::key, key, row); },
        "5500000007"
        "4b0002"
        "740000000131"
        "6e"
        "4e0002"
        "740000000131"
        "75");
  check([&](auto& o) { append_delete(o, 7, OldRow::full, key); },
        "4400000007"
        "4f0002"
        "740000000131"
        "6e");
  check([&](auto& o) { append_truncate(o, 3, oids); },
        "5400000002"
        "03"
        "00000001"
        "00000002");
  check(
      [&](auto& o) {
        append_logical_message(o, {1, 0x10, "p", "x"});
      },
      "4d01"
      "0000000000000010"
      "7000"
      "00000001"
      "78");
}

TEST_CASE("pgoutput: any row of any bytes survives writing and decoding", "[proto][pgoutput]") {
  rc::prop("round trip", [](const std::vector<std::pair<std::uint8_t, std::string>>& columns,
                            std::uint32_t relation, bool in_stream, std::uint32_t xid) {
    std::vector<Value> row;
    for (const auto& [kind, bytes] : columns) {
      const auto value_kind = static_cast<ValueKind>("nutb"[kind % 4]);
      const bool has_bytes = value_kind == ValueKind::text || value_kind == ValueKind::binary;
      row.push_back({value_kind, has_bytes ? std::string_view(bytes) : std::string_view()});
    }
    std::string body;
    append_update(body, relation, OldRow::full, row, row);
    const DecodeResult result = decode(body);
    RC_ASSERT(bool(result));
    const Update update = std::get<Update>(result.message);
    RC_ASSERT(update.relation == relation);
    RC_ASSERT(std::equal(update.row.begin(), update.row.end(), row.begin(), row.end()));
    RC_ASSERT(std::equal(update.old_row.begin(), update.old_row.end(), row.begin(), row.end()));
    std::string again;
    append(again, result.message, {in_stream}, xid);
    const DecodeResult second = decode(again, {in_stream});
    RC_ASSERT(bool(second));
    RC_ASSERT(second.stream_xid == (in_stream ? xid : 0));
  });
}
