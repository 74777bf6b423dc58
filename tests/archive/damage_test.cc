#include <rapidcheck/catch.h>

#include "archive/fixture.h"
#include "archive/wire.h"

using namespace rt;
using namespace rt::archive;
using namespace rt::archive::testing;

namespace {

WriterOptions small_blocks() {
  WriterOptions options;
  options.block_raw_bytes = 600;
  return options;
}

// A closed recording of `transactions` and its bytes.
std::string recording(const Scratch& scratch, int transactions, bool close) {
  const ManualClock clock;
  const std::string path = scratch / "whole.rtr";
  {
    Writer writer = Writer::create(path, origin(), moment(clock), small_blocks()).value();
    write_transactions(writer, 0, transactions, 2, clock.now());
    if (close)
      REQUIRE(writer.close(clock.now()));
    else
      REQUIRE(writer.sync(clock.now()));
  }
  return read_file(path);
}

Seen read_file_as(const std::string& path, ReadOptions options) {
  auto reader = Reader::open(path, options);
  if (!reader) {
    Seen seen;
    seen.error = reader.error().text;
    return seen;
  }
  return read_all(*reader);
}

ReadOptions mode(OnDamage on_damage, bool use_index = true) {
  ReadOptions options;
  options.on_damage = on_damage;
  options.use_index = use_index;
  return options;
}

}  // namespace

TEST_CASE("archive: cut at every byte of the last two blocks, only what was not durable is lost",
          "[archive]") {
  const Scratch scratch;
  const std::string whole = recording(scratch, 40, false);
  Reader reader = Reader::open(scratch / "whole.rtr").value();
  const std::size_t blocks = reader.block_count();
  REQUIRE(blocks > 4);
  const auto offset = [&](std::size_t i) {
    return static_cast<std::size_t>(reader.block(i).offset);
  };
  const std::uint64_t first_cut = offset(blocks - 2);
  const ManualClock clock;
  const std::string path = scratch / "cut.rtr";
  std::filesystem::create_directory(scratch / "repaired");
  for (std::size_t cut = first_cut; cut < whole.size(); ++cut) {
    write_file(path, std::string_view(whole).substr(0, cut));
    // What stands in whole blocks before the cut is durable; nothing else is.
    const std::size_t left = cut >= offset(blocks - 1) ? blocks - 1 : blocks - 2;
    std::uint64_t commits = 0;
    for (std::size_t i = 0; i < left; ++i) commits += reader.block(i).commits;

    const Seen strict = read_file_as(path, mode(OnDamage::strict));
    CHECK(strict.commits.size() == commits);
    const bool at_boundary = cut == offset(left);
    CHECK(strict.error.empty() == at_boundary);
    if (!at_boundary)
      CHECK_THAT(strict.error, Catch::Contains(fmt::format("at offset {}", offset(left))));
    ReadOptions live;
    live.live = true;
    CHECK(read_file_as(path, live).error.empty());

    {
      Writer writer = Writer::open(path, moment(clock), small_blocks()).value();
      CHECK(writer.recovered().torn_bytes == cut - offset(left));
      CHECK(writer.durable_commit_lsn() == reader.block(left - 1).last_commit_lsn);
      const int next = static_cast<int>((writer.durable_commit_lsn() - kFirstLsn) / kLsnStep) + 1;
      write_transactions(writer, next, 42, 2, clock.now());
      REQUIRE(writer.close(clock.now()));
    }
    if (!at_boundary) {
      CHECK(read_file(path + ".torn") == whole.substr(offset(left), cut - offset(left)));
      std::filesystem::remove(path + ".torn");
    }
    ReadOptions committed;
    committed.committed_only = true;
    const Seen after = read_file_as(path, committed);
    CHECK(after.error.empty());
    CHECK(after.rows.size() == 84);
    CHECK(std::is_sorted(after.rows.begin(), after.rows.end()));
    std::filesystem::rename(path, scratch / fmt::format("repaired/{}.rtr", cut));
  }
  // A stock tool accepts each of them.
  CHECK(std::system(("zstd -tq " + scratch / "repaired/*.rtr").c_str()) == 0);
}

TEST_CASE("archive: a cut anywhere never crashes and never invents a row", "[archive]") {
  const Scratch scratch;
  const std::string whole = recording(scratch, 20, true);
  const Seen all = read_file_as(scratch / "whole.rtr", {});
  for (std::size_t cut = 0; cut < whole.size(); cut += 3) {
    write_file(scratch / "cut.rtr", std::string_view(whole).substr(0, cut));
    const Seen seen = read_file_as(scratch / "cut.rtr", {});
    REQUIRE(seen.rows.size() <= all.rows.size());
    CHECK(std::equal(seen.rows.begin(), seen.rows.end(), all.rows.begin()));
  }
}

TEST_CASE("archive: a flipped bit is found, named by offset, and costs one block at most",
          "[archive]") {
  const Scratch scratch;
  const std::string whole = recording(scratch, 30, false);
  const Seen all = read_file_as(scratch / "whole.rtr", {});
  Reader reader = Reader::open(scratch / "whole.rtr").value();
  const auto first = static_cast<std::size_t>(reader.block(0).offset);
  std::uint64_t largest = 0;
  for (std::size_t i = 0; i < reader.block_count(); ++i) {
    largest = std::max<std::uint64_t>(largest, reader.block(i).rows);
  }
  for (std::size_t at = 0; at < whole.size(); at += 5) {
    std::string bytes = whole;
    bytes[at] = static_cast<char>(bytes[at] ^ (1 << (at % 8)));
    write_file(scratch / "flip.rtr", bytes);
    const Seen strict = read_file_as(scratch / "flip.rtr", mode(OnDamage::strict));
    INFO("flipped a bit of byte " << at);
    CHECK_FALSE(strict.error.empty());
    const Seen cut = read_file_as(scratch / "flip.rtr", mode(OnDamage::point_in_time));
    if (at < first) {
      CHECK(strict.rows.empty());
      continue;
    }
    CHECK_THAT(strict.error, Catch::Contains("at offset"));
    CHECK(cut.error.empty());
    CHECK(cut.rows == strict.rows);
    const Seen salvaged = read_file_as(scratch / "flip.rtr", mode(OnDamage::salvage));
    CHECK(salvaged.error.empty());
    CHECK(salvaged.gaps == 1);
    CHECK(salvaged.rows.size() + largest >= all.rows.size());
    CHECK(salvaged.rows.size() < all.rows.size());
  }
}

TEST_CASE("archive: damage in the middle is never cut off by a writer", "[archive]") {
  const Scratch scratch;
  std::string bytes = recording(scratch, 30, false);
  Reader reader = Reader::open(scratch / "whole.rtr").value();
  const auto second = static_cast<std::size_t>(reader.block(1).offset);
  bytes[second + 20] = static_cast<char>(bytes[second + 20] ^ 1);
  write_file(scratch / "damaged.rtr", bytes);
  const ManualClock clock;
  const auto strict = Writer::open(scratch / "damaged.rtr", moment(clock));
  REQUIRE_FALSE(strict);
  CHECK(strict.error().code == Code::integrity);
  CHECK_THAT(strict.error().text, Catch::Contains(fmt::format("offset {}", second)));
  CHECK(read_file(scratch / "damaged.rtr") == bytes);
  WriterOptions forgiving;
  forgiving.on_damage = OnDamage::point_in_time;
  const Writer writer = Writer::open(scratch / "damaged.rtr", moment(clock), forgiving).value();
  CHECK(writer.recovered().torn_bytes == bytes.size() - second);
  CHECK(read_file(writer.recovered().saved_as) == bytes.substr(second));
}

TEST_CASE("archive: blocks that changed places are found", "[archive]") {
  const Scratch scratch;
  const ManualClock clock;
  WriterOptions options;
  options.block_raw_bytes = 1;
  {
    Writer writer = Writer::create(scratch / "a.rtr", {}, moment(clock), options).value();
    for (const char* text : {"first", "again", "three", "fours"}) {
      REQUIRE(writer.append({RecordKind::mark, false, 5, 5, text}, clock.now()));
    }
    REQUIRE(writer.close(clock.now()));
  }
  std::string bytes = read_file(scratch / "a.rtr");
  Reader reader = Reader::open(scratch / "a.rtr").value();
  const auto at = [&](std::size_t i) { return static_cast<std::size_t>(reader.block(i).offset); };
  const std::size_t size = at(2) - at(1);
  REQUIRE(at(3) - at(2) == size);
  std::swap_ranges(bytes.begin() + static_cast<long>(at(1)),
                   bytes.begin() + static_cast<long>(at(2)),
                   bytes.begin() + static_cast<long>(at(2)));
  write_file(scratch / "b.rtr", bytes);
  for (const bool use_index : {true, false}) {
    const Seen seen = read_file_as(scratch / "b.rtr", mode(OnDamage::strict, use_index));
    CHECK_THAT(seen.error,
               Catch::Contains("place") && Catch::Contains(fmt::format("offset {}", at(1))));
  }
}

TEST_CASE("archive: empty, foreign and newer files get one clear line", "[archive]") {
  const Scratch scratch;
  const auto open = [&](std::string_view bytes) {
    write_file(scratch / "x.rtr", bytes);
    const auto reader = Reader::open(scratch / "x.rtr");
    REQUIRE_FALSE(reader);
    CHECK(reader.error().text.find('\n') == std::string::npos);
    CHECK_THAT(reader.error().text, Catch::Contains("x.rtr"));
    return reader.error();
  };
  CHECK(open("").code == Code::integrity);
  CHECK_THAT(open("").text, Catch::Contains("empty"));
  CHECK(open("PK\x03\x04 something else altogether").code == Code::usage);
  CHECK_THAT(open("{}").text, Catch::Contains("not a recording"));
  CHECK(open(std::string("\x57\x2A\x4D\x18", 4)).code == Code::integrity);

  SegmentHeader header;
  header.major = kMajorVersion + 1;
  std::string bytes;
  append_frame(bytes, header);
  CHECK(open(bytes).code == Code::usage);
  CHECK_THAT(open(bytes).text, Catch::Contains("version 2.0"));
  header.major = kMajorVersion;
  header.incompat_features = 4;
  bytes.clear();
  append_frame(bytes, header);
  CHECK_THAT(open(bytes).text, Catch::Contains("features 0x4"));

  CHECK(Reader::open(scratch / "missing.rtr").error().code == Code::usage);
  std::filesystem::create_directory(scratch / "nothing");
  CHECK(Reader::open(scratch / "nothing").error().code == Code::usage);
}

TEST_CASE("archive: frames and kinds of a later version are skipped", "[archive]") {
  const Scratch scratch;
  const ManualClock clock;
  {
    Writer writer = Writer::create(scratch / "a.rtr", {}, moment(clock)).value();
    REQUIRE(
        writer.append({static_cast<RecordKind>('~'), false, 1, 1, "of the future"}, clock.now()));
    REQUIRE(writer.sync(clock.now()));
  }
  std::string bytes = read_file(scratch / "a.rtr");
  std::string payload;
  append_le(payload, kTag);
  payload += std::string("Q\1\0\0", 4);
  append_skippable(bytes, payload);        // our tag, unknown kind
  append_le(bytes, kSkippableMagicFirst);  // somebody else's frame
  append_le(bytes, std::uint32_t{3});
  bytes += "abc";
  write_file(scratch / "a.rtr", bytes);
  Reader reader = Reader::open(scratch / "a.rtr").value();
  Entry entry;
  REQUIRE(reader.next(entry).value());
  CHECK(entry.record.body == "of the future");
  CHECK_FALSE(reader.next(entry).value());
}
