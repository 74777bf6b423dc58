// The hub's part of the surfaces that have a board.
#include <algorithm>

#include "server/hub.h"

namespace rt::server {

Result<void> Hub::add(Surface surface, std::unique_ptr<Board> board) {
  const auto index = static_cast<std::size_t>(surface);
  RT_CHECK(surface != Surface::runs && boards_[index] == nullptr);
  RT_CHECKED(board->open(*this));
  boards_[index] = std::move(board);
  batches_[index].emplace(kBatchesMax);
  return {};
}

// One batch of each source; false if there was nothing to do.
bool Hub::hear_messages() {
  bool heard = false;
  for (std::size_t surface = 0; surface < kSurfaceCount; ++surface) {
    Board* const board = boards_[surface].get();
    if (board == nullptr) continue;
    std::shared_ptr<RecordBatch> batch;
    if (board->wants_more() && batches_[surface]->pop(batch)) {
      for (std::size_t i = 0; i < batch->size(); ++i) board->hear((*batch)[i]);
      heard = true;
    }
    heard |= board->turn();
  }
  return heard;
}

bool Hub::has_room() {
  if (finished_) return true;
  return std::all_of(links_.begin(), links_.end(), [](const Link* link) {
    return link->to_shard.size() < Link::kToShardCapacity / 2;
  });
}

void Hub::hear_row(const RecordView& record) {
  for (const auto& board : boards_) {
    if (board != nullptr && board->hears_rows()) board->hear(record);
  }
}

void Hub::serve_board(const Asker& asker, ToHub& message) {
  Board* const board = boards_[static_cast<std::size_t>(message.surface)].get();
  RT_CHECK(board != nullptr);
  switch (message.kind) {
    case ToHub::Kind::join:
      for (const std::uint64_t key : message.opening->keys) {
        directory_[key] |= std::uint64_t{1} << asker.shard;
      }
      return board->join(asker, *message.opening);
    case ToHub::Kind::part:
      return board->part(asker, message.target, message.gzip);
    case ToHub::Kind::missed:
      return board->missed(message.target);
    default:
      return board->ask(asker, std::move(*message.question));
  }
}

void Hub::answer(const Asker& asker, Answer answer) {
  ToShard message;
  message.kind = ToShard::Kind::answer;
  message.connection = asker.connection;
  message.answer = std::make_unique<Answer>(std::move(answer));
  post(asker.shard, std::move(message));
}

void Hub::tell(const Asker& subscriber, std::string text, bool last) {
  ToShard message;
  message.kind = ToShard::Kind::chunk;
  message.live = true;
  message.last = last;
  message.connection = subscriber.connection;
  message.text = std::move(text);
  post(subscriber.shard, std::move(message));
}

void Hub::tidy_boards() {
  for (const auto& board : boards_) {
    if (board != nullptr) board->tidy();
  }
}

}  // namespace rt::server
