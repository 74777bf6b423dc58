#include "io/tls.h"

#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <utility>

#include "io/arrival.h"

namespace rt::io {
namespace {

// Plain bytes sealed at once: a broadcast to a hundred streams of one connection, in 16 records.
constexpr std::size_t kSealBytesMax = 256 * 1024;
// Records that OpenSSL writes by itself while the socket takes none (answers to key updates); a
// peer that asks for more of them reads nothing.
constexpr std::size_t kUnaskedBytesMax = 16 * 1024;

// The wire form of RFC 7301: each name after its length. In the order of preference.
constexpr unsigned char kProtocols[] = "\x02h2\x08http/1.1";

int choose_protocol(SSL*, const unsigned char** out, unsigned char* out_size,
                    const unsigned char* offered, unsigned int offered_size, void*) {
  unsigned char* chosen = nullptr;
  const int outcome = SSL_select_next_proto(&chosen, out_size, kProtocols, sizeof kProtocols - 1,
                                            offered, offered_size);
  *out = chosen;
  // Who offers only what we do not speak is told so (RFC 7301 section 3.2).
  return outcome == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

// Instead of a question on the terminal.
int no_passphrase(char*, int, int, void*) {
  return -1;
}

// Nothing that either side said: the socket failed, or ended in the middle of a record.
bool is_end_of_connection(unsigned long code) {
  return code == 0 || (ERR_GET_LIB(code) == ERR_LIB_SSL &&
                       ERR_GET_REASON(code) == SSL_R_UNEXPECTED_EOF_WHILE_READING);
}

// What went wrong first; the errors after it say only who was told.
std::string first_reason() {
  const unsigned long code = ERR_peek_error();
  const char* const reason = code == 0 ? nullptr : ERR_reason_error_string(code);
  const std::string text = reason == nullptr ? "unknown reason" : reason;
  ERR_clear_error();
  return text;
}

Result<void> check_readable(const std::string& what, const std::string& path) {
  errno = 0;
  if (std::ifstream(path).peek() != std::ifstream::traits_type::eof()) return {};
  if (errno == 0) return fail(Code::usage, fmt::format("{} {} is empty", what, path));
  return fail(os_error(fmt::format("cannot read {} {}", what, path), errno, Code::usage));
}

}  // namespace

Result<std::shared_ptr<const TlsContext>> TlsContext::load(const TlsFiles& files) {
  ERR_clear_error();
  SSL_CTX* const raw = SSL_CTX_new(TLS_server_method());
  if (raw == nullptr) return fail(Code::limit, "cannot set up TLS: " + first_reason());
  const std::shared_ptr<TlsContext> context(new TlsContext(raw));
  SSL_CTX_set_min_proto_version(raw, TLS1_2_VERSION);
  SSL_CTX_set_options(raw, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                               SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_IGNORE_UNEXPECTED_EOF);
  SSL_CTX_set_mode(raw, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  // Tickets carry the state of sessions; nothing is kept here.
  SSL_CTX_set_session_cache_mode(raw, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_alpn_select_cb(raw, choose_protocol, nullptr);
  SSL_CTX_set_default_passwd_cb(raw, no_passphrase);
  RT_CHECKED(context->use(files));
  context->describe();
  return std::shared_ptr<const TlsContext>(context);
}

Result<std::shared_ptr<const TlsContext>> TlsContext::trust(const TlsTrust& trust) {
  ERR_clear_error();
  SSL_CTX* const raw = SSL_CTX_new(TLS_client_method());
  if (raw == nullptr) return fail(Code::limit, "cannot set up TLS: " + first_reason());
  const std::shared_ptr<TlsContext> context(new TlsContext(raw));
  SSL_CTX_set_min_proto_version(raw, TLS1_2_VERSION);
  SSL_CTX_set_options(raw, SSL_OP_NO_COMPRESSION | SSL_OP_IGNORE_UNEXPECTED_EOF);
  SSL_CTX_set_mode(raw, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_verify(raw, trust.verify ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, nullptr);
  std::string offered;
  if (trust.offer_http2) offered += "\x02h2";
  if (trust.offer_http1) offered += "\x08http/1.1";
  SSL_CTX_set_alpn_protos(raw, reinterpret_cast<const unsigned char*>(offered.data()),
                          static_cast<unsigned int>(offered.size()));
  if (!trust.verify) return std::shared_ptr<const TlsContext>(context);
  if (trust.authorities.empty()) {
    SSL_CTX_set_default_verify_paths(raw);
    return std::shared_ptr<const TlsContext>(context);
  }
  RT_CHECKED(check_readable("certificate file", trust.authorities));
  if (SSL_CTX_load_verify_locations(raw, trust.authorities.c_str(), nullptr) != 1) {
    return fail(Code::usage, fmt::format("cannot use certificate file {}: {}", trust.authorities,
                                         first_reason()));
  }
  return std::shared_ptr<const TlsContext>(context);
}

Result<void> TlsContext::use(const TlsFiles& files) {
  RT_CHECKED(check_readable("certificate file", files.certificates));
  RT_CHECKED(check_readable("key file", files.key));
  if (SSL_CTX_use_certificate_chain_file(raw_, files.certificates.c_str()) != 1) {
    return fail(Code::usage, fmt::format("cannot use certificate file {}: {}", files.certificates,
                                         first_reason()));
  }
  if (SSL_CTX_use_PrivateKey_file(raw_, files.key.c_str(), SSL_FILETYPE_PEM) == 1 &&
      SSL_CTX_check_private_key(raw_) == 1) {
    return {};
  }
  const bool mismatch = ERR_GET_REASON(ERR_peek_last_error()) == X509_R_KEY_VALUES_MISMATCH ||
                        ERR_GET_REASON(ERR_peek_last_error()) == X509_R_KEY_TYPE_MISMATCH;
  const std::string reason = first_reason();
  if (mismatch) {
    return fail(Code::usage, fmt::format("key file {} does not belong to the certificate in {}",
                                         files.key, files.certificates));
  }
  return fail(Code::usage, fmt::format("cannot use key file {}: {}", files.key, reason),
              "it must be a PEM private key without a passphrase");
}

void TlsContext::describe() {
  X509* const own = SSL_CTX_get0_certificate(raw_);
  BIO* const text = BIO_new(BIO_s_mem());
  if (own == nullptr || text == nullptr) return;
  const auto take = [text] {
    char* bytes = nullptr;
    const long size = BIO_get_mem_data(text, &bytes);
    std::string taken(bytes, static_cast<std::size_t>(std::max(size, 0L)));
    (void)BIO_reset(text);
    return taken;
  };
  X509_NAME_print_ex(text, X509_get_subject_name(own), 0, XN_FLAG_RFC2253);
  subject_ = take();
  ASN1_TIME_print(text, X509_get0_notAfter(own));
  expires_ = take();
  BIO_free(text);
}

TlsContext::~TlsContext() {
  SSL_CTX_free(raw_);
}

// Reads from the socket; writes gather in the session, so that many records leave in one send, and
// none raises SIGPIPE.
struct TlsSession::Transport {
  static TlsSession& of(BIO* bio) { return *static_cast<TlsSession*>(BIO_get_data(bio)); }

  static int read(BIO* bio, char* out, int size) {
    BIO_clear_retry_flags(bio);
    Arrival got;
    do {
      got = receive(of(bio).fd_, out, static_cast<std::size_t>(size));
    } while (got.error == EINTR);
    if (got.error == EAGAIN) BIO_set_retry_read(bio);
    if (got.bytes > 0) of(bio).stamp_unix_ns_ = got.stamp_unix_ns;
    return static_cast<int>(got.bytes);
  }
  static int write(BIO* bio, const char* bytes, int size) {
    BIO_clear_retry_flags(bio);
    of(bio).sealed_.append(bytes, static_cast<std::size_t>(size));
    return size;
  }
  static long control(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH ? 1 : 0; }

  static const BIO_METHOD* method() {
    struct Deleter {
      void operator()(BIO_METHOD* method) const { BIO_meth_free(method); }
    };
    static const std::unique_ptr<BIO_METHOD, Deleter> kMethod([] {
      BIO_METHOD* const method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "socket");
      RT_CHECK(method != nullptr);
      BIO_meth_set_read(method, read);
      BIO_meth_set_write(method, write);
      BIO_meth_set_ctrl(method, control);
      return method;
    }());
    return kMethod.get();
  }
};

TlsSession::TlsSession(const TlsContext& context, int fd) : raw_(SSL_new(context.raw_)), fd_(fd) {
  attach();
  SSL_set_accept_state(raw_);
}

TlsSession::TlsSession(const TlsContext& context, int fd, const std::string& host)
    : raw_(SSL_new(context.raw_)), fd_(fd) {
  attach();
  SSL_set_connect_state(raw_);
  // An address is no name for SNI (RFC 6066 section 3), and is compared with other entries.
  X509_VERIFY_PARAM* const rules = SSL_get0_param(raw_);
  if (X509_VERIFY_PARAM_set1_ip_asc(rules, host.c_str()) == 1) return;
  ERR_clear_error();
  SSL_ctrl(raw_, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
           const_cast<char*>(host.c_str()));
  RT_CHECK(SSL_set1_host(raw_, host.c_str()) == 1);
}

void TlsSession::attach() {
  BIO* const bio = BIO_new(Transport::method());
  RT_CHECK(raw_ != nullptr && bio != nullptr);
  BIO_set_data(bio, this);
  BIO_set_init(bio, 1);
  SSL_set_bio(raw_, bio, bio);
}

TlsSession::~TlsSession() {
  SSL_free(raw_);
}

TlsSession::State TlsSession::shake_hands() {
  if (broken_) return State::failed;
  ERR_clear_error();
  const int outcome = SSL_do_handshake(raw_);
  if (outcome == 1) established_ = true;
  State state = state_of(outcome);
  // Also after a failure: the alert that says why.
  const State flushed = flush();
  if (state != State::failed && flushed == State::failed) state = flushed;
  return state;
}

std::string_view TlsSession::protocol() const {
  const unsigned char* name = nullptr;
  unsigned int size = 0;
  SSL_get0_alpn_selected(raw_, &name, &size);
  return {reinterpret_cast<const char*>(name), size};
}

TlsSession::Moved TlsSession::read(char* out, std::size_t size) {
  if (broken_ || sealed_.size() - sealed_at_ > kSealBytesMax + kUnaskedBytesMax) {
    return {State::failed, 0};
  }
  ERR_clear_error();
  std::size_t got = 0;
  const int outcome = SSL_read_ex(raw_, out, size, &got);
  State state = state_of(outcome);
  if (!sealed_.empty() && flush() == State::failed) state = State::failed;
  return {state, outcome == 1 ? got : 0};
}

TlsSession::Moved TlsSession::write(std::string_view bytes) {
  if (const State before = flush(); before != State::ready) return {before, 0};
  bytes = bytes.substr(0, kSealBytesMax);
  if (bytes.empty()) return {};
  ERR_clear_error();
  std::size_t taken = 0;
  // Never partial: the transport takes everything.
  const State state = state_of(SSL_write_ex(raw_, bytes.data(), bytes.size(), &taken));
  if (state != State::ready) return {state, 0};
  const State flushed = flush();
  return {flushed == State::failed ? flushed : State::ready, taken};
}

TlsSession::State TlsSession::flush() {
  while (sealed_at_ < sealed_.size()) {
    const ssize_t sent =
        ::send(fd_, sealed_.data() + sealed_at_, sealed_.size() - sealed_at_, MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0 && errno == EAGAIN) return State::waits;
    if (sent < 0) {
      if (!std::exchange(broken_, true)) {  // else what broke it before is why
        lost_ = true;
        error_ = "the connection is lost";
      }
      return State::failed;
    }
    sealed_at_ += static_cast<std::size_t>(sent);
  }
  if (!sealed_.empty()) std::string().swap(sealed_);
  sealed_at_ = 0;
  return broken_ ? State::failed : State::ready;
}

void TlsSession::say_goodbye() {
  if (!established_ || broken_) return;
  ERR_clear_error();
  SSL_shutdown(raw_);
  ERR_clear_error();
  flush();
}

TlsSession::State TlsSession::state_of(int outcome) {
  if (outcome == 1) return State::ready;
  switch (SSL_get_error(raw_, outcome)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
      return State::waits;
    case SSL_ERROR_ZERO_RETURN:
      if (!established_) lost_ = true;  // it ended before anybody could refuse anything
      return State::closed;
    default:
      broken_ = true;  // OpenSSL forbids to go on after these
      lost_ = is_end_of_connection(ERR_peek_last_error());
      error_ = lost_ ? "the connection is lost" : first_reason();
      return State::failed;
  }
}

}  // namespace rt::io
