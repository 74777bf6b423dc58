// TLS for servers and clients (OpenSSL, which stays in the .cc): what a server proves itself with
// or a client trusts, and one connection. TLS 1.2 and newer; ALPN knows h2 and http/1.1. A context
// is immutable and may be shared by threads; connections keep the one they began with, so that
// another can take its place at any time. A session belongs to one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

struct ssl_ctx_st;
struct ssl_st;

namespace rt::io {

struct TlsFiles {
  std::string certificates;  // PEM: the server's own first, then those that lead to its root
  std::string key;           // PEM, without a passphrase
};

struct TlsTrust {
  std::string authorities;  // PEM; empty: those of this machine
  bool verify = true;       // off: any certificate serves, also one of another name
  bool offer_http2 = true;
  bool offer_http1 = true;
};

class TlsContext {
 public:
  // Fails with Code::usage and the file's name: it cannot be read, is no PEM, the key is another
  // certificate's.
  static Result<std::shared_ptr<const TlsContext>> load(const TlsFiles& files);
  // For clients.
  static Result<std::shared_ptr<const TlsContext>> trust(const TlsTrust& trust);
  ~TlsContext();
  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;

  // Of the server's own certificate, for the log.
  const std::string& subject() const { return subject_; }
  const std::string& expires() const { return expires_; }  // "Nov 27 05:00:00 2027 GMT"

 private:
  friend class TlsSession;
  explicit TlsContext(ssl_ctx_st* raw) : raw_(raw) {}
  Result<void> use(const TlsFiles& files);
  void describe();

  ssl_ctx_st* raw_;
  std::string subject_;
  std::string expires_;
};

// One end on a non-blocking socket, which it does not own. Never raises SIGPIPE. At rest
// it holds no buffers.
class TlsSession {
 public:
  enum class State : std::uint8_t {
    ready,   // go on
    waits,   // until the socket is readable; or writable, if wants_write()
    closed,  // the peer said goodbye, or the connection ended
    failed,  // see error()
  };
  struct Moved {
    State state = State::ready;
    std::size_t bytes = 0;
  };

  TlsSession(const TlsContext& context, int fd);  // the server's end
  // The client's end; host: whom the certificate must name.
  TlsSession(const TlsContext& context, int fd, const std::string& host);
  ~TlsSession();
  TlsSession(const TlsSession&) = delete;
  TlsSession& operator=(const TlsSession&) = delete;

  // Once `ready`, never to be called again.
  State shake_hands();
  bool is_established() const { return established_; }
  std::string_view protocol() const;  // by ALPN: "h2", "http/1.1" or ""

  // Bytes of the peer. Reads until `waits`: what stands in a record does not make the socket
  // readable again.
  Moved read(char* out, std::size_t size);
  // Takes bytes, seals them and sends the lot with one system call. What the socket does not take
  // stays here and is bounded: until flush() is ready, nothing more is taken.
  Moved write(std::string_view bytes);
  State flush();
  bool wants_write() const { return !sealed_.empty(); }
  // When the last bytes taken off the socket came (io/arrival.h); 0: nobody knows.
  std::int64_t stamp_unix_ns() const { return stamp_unix_ns_; }
  // Tells the peer that this is the end, as far as the socket takes it.
  void say_goodbye();

  const std::string& error() const { return error_; }
  // It failed because the connection went away, not because either side refused.
  bool is_lost() const { return lost_; }

 private:
  struct Transport;  // the socket as OpenSSL sees it

  void attach();
  State state_of(int outcome);

  ssl_st* raw_ = nullptr;
  int fd_;
  bool established_ = false;
  bool broken_ = false;
  bool lost_ = false;
  std::string sealed_;  // records that the socket has not taken yet
  std::size_t sealed_at_ = 0;
  std::int64_t stamp_unix_ns_ = 0;
  std::string error_;
};

}  // namespace rt::io
