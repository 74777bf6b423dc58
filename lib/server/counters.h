// What the server counts and what /health and logs show. Written by the thread named, read by any.
#pragma once

#include <atomic>
#include <cstdint>

namespace rt::server {

struct Counters {
  using Count = std::atomic<std::uint64_t>;

  // Shards: each adds its own.
  Count connections{0};   // sockets open now, whatever they do
  Count subscribers{0};   // open now and subscribed: connections, or streams of HTTP/2
  Count streams{0};       // of HTTP/2, open now, whatever they do
  Count accepted{0};      // since the start
  Count refused_full{0};  // closed on arrival: the shard's descriptor table is full
  Count events_sent{0};   // live events handed to a connection, without those it was too slow for
  Count bytes_sent{0};    // to the kernel
  Count slow_disconnects{0};     // closed with more than the allowed backlog
  Count expired_disconnects{0};  // closed because the token that opened them expired
  Count events_dropped{0};       // not handed to a subscriber that was too slow (policy drop)
  Count requests_refused{0};     // answered with a status of 400 or above
  Count handshakes_failed{0};    // connections that are no TLS, or not ours
  Count access_lines_lost{0};    // of the access log: too many at once, or not taken by its file
  Count sessions_broken{0};      // of HTTP/2: ended because the client broke its rules or limits

  // Hub.
  Count runs{0};          // rows in the store
  Count events{0};        // changes turned into events since the start
  Count resumed{0};       // subscribers that went on from their Last-Event-ID
  Count started_anew{0};  // subscribers whose Last-Event-ID could not be served
  Count position_lsn{0};  // commit LSN of the last applied change
  Count end_lsn{0};       // end LSN of the last applied commit
  std::atomic<std::int64_t> last_commit_us{0};  // its commit time
  Count damaged_messages{0};                    // WAL messages that could not be decoded
  Count shard_waits{0};                         // times the hub waited for a shard's full ring
  std::atomic<bool> ready{false};  // the current state is complete: subscribers are served

  // The server's owner.
  std::atomic<bool> draining{false};  // it ends: no new connections, nothing new to be published
  // Access log.
  Count access_lines{0};  // written

  // History.
  Count history_bytes{0};  // written since the start
  Count history_segments_pruned{0};
  std::atomic<bool> history_failed{false};
};

}  // namespace rt::server
