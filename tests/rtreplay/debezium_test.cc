// rtreplay convert --as debezium: the envelope of each kind of event, and the columns, as Debezium
// 3 documents them.
#include "base/text.h"
#include "proto/pg_types.h"
#include "proto/pgoutput_writer.h"
#include "rtreplay/debezium_values.h"
#include "rtreplay/line_export.h"
#include "rtreplay/sample.h"

using namespace rt;
using namespace rt::test;
using nlohmann::json;

namespace {

// Records as lines of Debezium, one export for all.
class Export {
 public:
  std::vector<json> put(const RecordView& record) {
    std::string out;
    export_->take({record, {}, 0}, out);
    return json_lines(out);
  }
  std::vector<json> put(const std::string& body, std::uint64_t lsn, std::int64_t received_us) {
    return put(RecordView{RecordKind::wal, false, lsn, received_us, body});
  }

 private:
  std::unique_ptr<rtreplay::LineExport> export_ = rtreplay::make_debezium_export();
};

json source(std::uint64_t lsn, const std::string& table, const std::string& sequence,
            const json& xid) {
  return {{"version", "rtreplay"},
          {"connector", "postgresql"},
          {"name", "rtreplay"},
          {"ts_ms", kStart / 1000},
          {"ts_us", kStart},
          {"ts_ns", kStart * 1000},
          {"snapshot", "false"},
          {"db", ""},
          {"sequence", sequence},
          {"schema", table.empty() ? "" : "public"},
          {"table", table},
          {"txId", xid},
          {"lsn", lsn},
          {"xmin", nullptr}};
}

json envelope(const json& before, const json& after, const json& from, const std::string& op) {
  return {{"before", before},
          {"after", after},
          {"source", from},
          {"transaction", nullptr},
          {"op", op},
          {"ts_ms", kStart / 1000 + 1},
          {"ts_us", kStart + 1000},
          {"ts_ns", (kStart + 1000) * 1000}};
}

std::string message(std::uint8_t flags, const std::string& content) {
  std::string body;
  pgoutput::append_logical_message(body, {flags, 77, "audit", content});
  return body;
}

json value_of(std::uint32_t type, const std::string& text, std::int32_t typmod = -1) {
  rtreplay::ExportedTable::Column column;
  column.type_oid = type;
  column.typmod = typmod;
  std::string out;
  rtreplay::append_debezium_value(out, column, {pgoutput::ValueKind::text, text});
  return json::parse(out);
}

std::string base64(const std::string& bytes) {
  std::string out;
  append_base64(out, bytes);
  return out;
}

}  // namespace

TEST_CASE("debezium: each kind of event has the envelope that is documented", "[debezium]") {
  Export lines;
  const std::int64_t later = kStart + 1000;  // it arrived a millisecond after its commit
  lines.put(two_columns(1, "plain", 'd', false), 0, later);
  lines.put(two_columns(2, "full", 'f', true), 0, later);
  CHECK(lines.put(begin(100, kStart, 700), 10, later).empty());
  const json from = source(50, "plain", R"([null,"50"])", 700);
  const json one = {{"id", "1"}, {"note", "a"}};
  const json two = {{"id", "1"}, {"note", "b"}};
  const json key = {{"id", "1"}, {"note", nullptr}};
  CHECK(lines.put(change('I', 1, 'N' + tuple({"1", "a"})), 50, later) ==
        std::vector<json>{envelope(nullptr, one, from, "c")});
  CHECK(lines.put(change('U', 1, 'N' + tuple({"1", "b"})), 50, later) ==
        std::vector<json>{envelope(nullptr, two, from, "u")});
  CHECK(lines.put(change('D', 1, 'K' + tuple({"1", kNull})), 50, later) ==
        std::vector<json>{envelope(key, nullptr, from, "d")});
  // Another key: the row with the old one goes, one with the new one comes.
  CHECK(lines.put(change('U', 1, 'K' + tuple({"9", kNull}) + 'N' + tuple({"1", "b"})), 50, later) ==
        std::vector<json>{envelope({{"id", "9"}, {"note", nullptr}}, nullptr, from, "d"),
                          envelope(nullptr, two, from, "c")});
  const json full = source(50, "full", R"([null,"50"])", 700);
  CHECK(lines.put(change('U', 2, 'O' + tuple({"1", "a"}) + 'N' + tuple({"1", kUnchanged})), 50,
                  later) == std::vector<json>{envelope(one, one, full, "u")});
  std::string truncate = "T";
  put(truncate, std::uint32_t{2});
  truncate += '\0';
  put(truncate, std::uint32_t{1});
  put(truncate, std::uint32_t{2});
  CHECK(lines.put(truncate, 50, later) == std::vector<json>{envelope(nullptr, nullptr, from, "t"),
                                                            envelope(nullptr, nullptr, full, "t")});
  CHECK(lines.put(commit(100, 130, kStart), 130, later).empty());
  // The position of the transaction before is the first of the sequence.
  lines.put(begin(200, kStart, 701), 130, later);
  CHECK(lines.put(change('I', 1, 'N' + tuple({"1", "a"})), 150, later) ==
        std::vector<json>{
            envelope(nullptr, one, source(150, "plain", R"(["130","150"])", 701), "c")});
}

TEST_CASE("debezium: messages have no row; outside of transactions no transaction either",
          "[debezium]") {
  Export lines;
  lines.put(begin(100, kStart, 700), 10, kStart + 1000);
  auto expected = envelope(nullptr, nullptr, source(77, "", R"([null,"77"])", 700), "m");
  expected.erase("before");
  expected.erase("after");
  expected["message"] = {{"prefix", "audit"}, {"content", base64("\x01 bytes")}};
  CHECK(lines.put(message(1, "\x01 bytes"), 77, kStart + 1000) == std::vector<json>{expected});
  lines.put(commit(100, 130, kStart), 130, kStart + 1000);
  const auto alone = lines.put(message(0, "x"), 77, kStart + 5000);
  REQUIRE(alone.size() == 1);
  CHECK(alone[0]["source"]["txId"].is_null());
  CHECK(alone[0]["source"]["ts_us"] == kStart + 5000);
  CHECK(alone[0]["ts_us"] == kStart + 5000);
}

TEST_CASE("debezium: rows of a snapshot are reads", "[debezium]") {
  Export lines;
  lines.put(two_columns(1, "plain", 'd', false), 0, kStart);
  std::string body;
  archive::encode(body, archive::SnapshotRowBody{1, "7\t\\N"});
  const auto read = lines.put(RecordView{RecordKind::snapshot_row, false, 90, kStart, body});
  REQUIRE(read.size() == 1);
  CHECK(read[0]["op"] == "r");
  CHECK(read[0]["before"].is_null());
  CHECK(read[0]["after"] == json{{"id", "7"}, {"note", nullptr}});
  CHECK(read[0]["source"]["snapshot"] == "true");
  CHECK(read[0]["source"]["txId"].is_null());
  CHECK(read[0]["source"]["lsn"] == 90);
}

TEST_CASE("debezium: values of each type", "[debezium]") {
  using namespace pg_type;  // NOLINT
  CHECK(value_of(kBool, "t") == true);
  CHECK(value_of(kInt8, "9007199254740993") == 9007199254740993);
  CHECK(value_of(kFloat8, "0.30000000000000004") == 0.30000000000000004);
  CHECK(value_of(kFloat8, "NaN") == "NaN");
  CHECK(value_of(kNumeric, "1.10") == "1.10");
  CHECK(value_of(kNumeric, "NaN") == "NAN");
  CHECK(value_of(kText, "a\"b") == "a\"b");
  CHECK(value_of(kJsonb, R"({"a": 1})") == R"({"a": 1})");
  CHECK(value_of(kBytea, "\\x00ff") == base64(std::string("\x00\xff", 2)));
  CHECK(value_of(kDate, "1970-01-10") == 9);
  CHECK(value_of(kDate, "1969-12-31") == -1);
  CHECK(value_of(kTime, "00:00:01.5") == 1'500'000);
  CHECK(value_of(kTime, "00:00:01.5", 3) == 1'500);
  CHECK(value_of(kTimestamp, "2018-06-20 15:13:16.945104") == 1529507596945104);
  CHECK(value_of(kTimestamp, "2018-06-20 15:13:16.945", 3) == 1529507596945);
  CHECK(value_of(kTimestamp, "1969-12-31 23:59:59.9995", 3) == -1);
  CHECK(value_of(kTimestamp, "infinity") == 9223372036825200000);
  CHECK(value_of(kTimestamp, "-infinity") == -9223372036832400000);
  CHECK(value_of(kTimestamptz, "2026-03-29 01:30:00.5+02") == "2026-03-28T23:30:00.500000Z");
  CHECK(value_of(kTimetz, "12:34:56+02").get<std::string>().substr(0, 8) == "10:34:56");
  CHECK(value_of(kInterval, "00:00:01.5") == 1'500'000);
  CHECK(value_of(kInterval, "-1 days +02:00:00") == -22 * 3'600'000'000);
  CHECK(value_of(kInterval, "1 year 2 mons 3 days -04:05:06") ==
        (14 * 2'629'800LL + 3 * 86'400LL - 4 * 3600 - 5 * 60 - 6) * 1'000'000);
  CHECK(value_of(kInterval, "infinity") == "infinity");
  CHECK(value_of(kBit, "1", 1) == true);
  CHECK(value_of(kBit, "1010", 4) == base64("\x0A"));
  CHECK(value_of(kVarbit, "100000001") == base64("\x01\x01"));
  CHECK(value_of(oid_of("_int4"), "{1,NULL,3}") == json::array({1, nullptr, 3}));
}
