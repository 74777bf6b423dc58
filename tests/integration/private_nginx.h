// A real nginx in front of a test's server: TLS, HTTP/2, client certificates, gzip, a Unix socket,
// and the buffering that spoils event streams. It dies with the test.
#pragma once

#include <sys/types.h>

#include <string>

namespace rt::test {

class PrivateNginx {
 public:
  // Forwards everything to 127.0.0.1:backend_port. Fails the test (throws) when it cannot start.
  explicit PrivateNginx(int backend_port);
  PrivateNginx(const PrivateNginx&) = delete;
  PrivateNginx& operator=(const PrivateNginx&) = delete;
  ~PrivateNginx();

  // TLS 1.2 and 1.3, HTTP/2 by ALPN; the certificate is for "localhost", signed by ca_file().
  std::string tls_url() const;
  // The same, for clients with a certificate only: client.pem and client.key of the folder.
  std::string client_certificate_url() const;
  std::string h2c_url() const;        // HTTP/2 without TLS
  std::string gzip_url() const;       // HTTP/1.1, gzip flushed with every event
  std::string buffering_url() const;  // HTTP/1.1, gathers the answer before it sends
  std::string unix_socket() const { return file("socket"); }
  std::string ca_file() const { return file("ca.pem"); }
  std::string file(const std::string& name) const { return folder_ + "/" + name; }

 private:
  void make_certificates() const;
  void write_configuration(int backend_port) const;

  std::string folder_;
  int ports_[5] = {};
  pid_t pid_ = 0;
};

}  // namespace rt::test
