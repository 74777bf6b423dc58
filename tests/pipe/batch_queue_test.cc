#include "pipe/batch_queue.h"

#include <catch2/catch.hpp>
#include <string>
#include <thread>

#include "pipe/batch_writer.h"

using namespace std::chrono_literals;
using rt::BatchQueue;
using rt::RecordBatch;
using rt::RecordKind;

namespace {

RecordBatch batch_of(std::size_t bytes) {
  RecordBatch batch;
  batch.append({RecordKind::mark, false, 1, 0, std::string(bytes, 'x')});
  return batch;
}

}  // namespace

TEST_CASE("batch queue: a full one refuses, and takes again after a pop", "[pipe]") {
  BatchQueue queue(1000);
  RecordBatch batch = batch_of(600);
  REQUIRE(queue.push(batch, 0ms) == BatchQueue::Push::pushed);
  CHECK(batch.empty());
  batch = batch_of(600);
  CHECK(queue.push(batch, 0ms) == BatchQueue::Push::full);
  CHECK(batch.size() == 1);
  RecordBatch taken;
  REQUIRE(queue.pop(taken));
  CHECK(taken.body_bytes() == 600);
  CHECK(queue.push(batch, 0ms) == BatchQueue::Push::pushed);
}

TEST_CASE("batch queue: one batch larger than the bound passes an empty queue", "[pipe]") {
  BatchQueue queue(10);
  RecordBatch batch = batch_of(5000);
  CHECK(queue.push(batch, 0ms) == BatchQueue::Push::pushed);
}

TEST_CASE("batch queue: what was pushed before the end is still popped", "[pipe]") {
  BatchQueue queue(1000);
  RecordBatch batch = batch_of(1);
  REQUIRE(queue.push(batch, 0ms) == BatchQueue::Push::pushed);
  queue.finish();
  RecordBatch taken;
  CHECK(queue.pop(taken));
  CHECK_FALSE(queue.pop(taken));
}

TEST_CASE("batch queue: a consumer that left ends the producer's wait", "[pipe]") {
  BatchQueue queue(1);
  RecordBatch batch = batch_of(10);
  REQUIRE(queue.push(batch, 0ms) == BatchQueue::Push::pushed);
  std::jthread consumer([&] { queue.close(); });
  batch = batch_of(10);
  CHECK(queue.push(batch, 60s) == BatchQueue::Push::closed);
}

TEST_CASE("batch queue: order is kept between two threads", "[pipe]") {
  BatchQueue queue(200);
  constexpr int kCount = 2000;
  std::jthread producer([&] {
    RecordBatch batch;
    for (std::uint64_t i = 0; i < kCount; ++i) {
      batch.append({RecordKind::mark, false, i, 0, "x"});
      while (queue.push(batch, 100ms) == BatchQueue::Push::full) {
      }
    }
    queue.finish();
  });
  RecordBatch batch;
  std::uint64_t expected = 0;
  while (queue.pop(batch)) {
    for (std::size_t i = 0; i < batch.size(); ++i) CHECK(batch[i].lsn == expected++);
  }
  CHECK(expected == kCount);
}

TEST_CASE("batch writer: it is due at 4096 records or 1 MiB, and says when the consumer is gone",
          "[pipe]") {
  BatchQueue queue(std::size_t{16} << 20);
  rt::BatchWriter writer(queue);
  for (int i = 0; i < 4095; ++i) writer.append({RecordKind::mark, false, 0, 0, {}});
  CHECK_FALSE(writer.due());
  writer.append({RecordKind::mark, false, 0, 0, {}});
  CHECK(writer.due());
  REQUIRE(writer.flush());
  writer.append({RecordKind::mark, false, 0, 0, std::string(1 << 20, 'x')});
  CHECK(writer.due());
  queue.close();
  const auto flushed = writer.flush();
  REQUIRE_FALSE(flushed);
  CHECK(flushed.error().code == rt::Code::cancelled);
}

TEST_CASE("batch writer: while the queue is full it keeps asking, and passes an error on",
          "[pipe]") {
  BatchQueue queue(1);
  rt::BatchWriter writer(queue);
  writer.append({RecordKind::mark, false, 0, 0, "first"});
  REQUIRE(writer.flush());
  writer.append({RecordKind::mark, false, 0, 0, "second"});
  int asked = 0;
  const auto flushed = writer.flush([&]() -> rt::Result<void> {
    if (++asked == 2) return rt::fail(rt::Code::unreachable, "the server is gone");
    return {};
  });
  REQUIRE_FALSE(flushed);
  CHECK(flushed.error().text == "the server is gone");
}

TEST_CASE("batch queue: a posted call runs between the batches around it, also in a full queue",
          "[pipe]") {
  BatchQueue queue(10);
  std::string seen;
  queue.post([&] { seen += "first "; });
  RecordBatch batch = batch_of(5000);
  REQUIRE(queue.push(batch, 0ms) == BatchQueue::Push::pushed);
  queue.post([&] { seen += "second "; });
  queue.finish();
  RecordBatch taken;
  REQUIRE(queue.pop(taken));
  CHECK(taken.size() == 1);
  CHECK(seen == "first ");
  CHECK_FALSE(queue.pop(taken));
  CHECK(seen == "first second ");
}
