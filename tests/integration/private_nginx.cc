#include "integration/private_nginx.h"

#include <fmt/format.h>

#include <filesystem>
#include <fstream>

#include "base/fd.h"
#include "integration/child_process.h"
#include "integration/patience.h"

namespace rt::test {
namespace {

using namespace std::chrono_literals;

enum Listener { kTls, kClientCertificate, kH2c, kGzip, kBuffering };

constexpr const char* kConfiguration = R"(
daemon off;
master_process off;
pid {0}/pid;
error_log {0}/log info;
events {{ worker_connections 64; }}
http {{
  access_log off;
  client_body_temp_path {0}/body;
  proxy_temp_path {0}/proxy;
  fastcgi_temp_path {0}/fastcgi;
  uwsgi_temp_path {0}/uwsgi;
  scgi_temp_path {0}/scgi;
  proxy_http_version 1.1;
  proxy_set_header Connection "";
  proxy_buffering off;
  ssl_certificate {0}/server.pem;
  ssl_certificate_key {0}/server.key;
  ssl_client_certificate {0}/ca.pem;
  server {{
    listen 127.0.0.1:{2} ssl http2;
    location / {{ proxy_pass http://127.0.0.1:{1}; }}
  }}
  server {{
    listen 127.0.0.1:{3} ssl http2;
    ssl_verify_client on;
    location / {{ proxy_pass http://127.0.0.1:{1}; }}
  }}
  server {{
    listen 127.0.0.1:{4} http2;
    location / {{ proxy_pass http://127.0.0.1:{1}; }}
  }}
  server {{
    listen 127.0.0.1:{5};
    listen unix:{0}/socket;
    gzip on;
    gzip_min_length 0;
    gzip_types text/event-stream;
    location / {{ proxy_pass http://127.0.0.1:{1}; }}
  }}
  server {{
    listen 127.0.0.1:{6};
    location / {{
      proxy_buffering on;
      proxy_ignore_headers X-Accel-Buffering;
      proxy_buffers 8 64k;
      proxy_buffer_size 64k;
      postpone_output 65536;
      proxy_pass http://127.0.0.1:{1};
    }}
  }}
}}
)";

}  // namespace

PrivateNginx::PrivateNginx(int backend_port) : folder_(make_folder("nginx")) {
  for (int& port : ports_) port = free_port();
  make_certificates();
  write_configuration(backend_port);
  pid_ = launch({"nginx", "-c", file("nginx.conf"), "-e", file("log")}, file("out"));
  if (pid_ < 0) give_up("cannot fork");
  // It writes its pid once all listeners stand.
  const bool ready = eventually(30s, [this] { return !read_text(file("pid")).empty(); });
  if (!ready) give_up("nginx does not start: " + read_text(file("out")) + read_text(file("log")));
}

PrivateNginx::~PrivateNginx() {
  if (pid_ > 0) kill_child(pid_);
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

void PrivateNginx::make_certificates() const {
  const std::string key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2";
  run_openssl(folder_, "req -x509 " + key + " -keyout ca.key -out ca.pem -subj /CN=test-authority");
  for (const std::string name : {"server", "client"}) {
    const std::string subject = name == "server" ? "localhost" : "client";
    run_openssl(folder_, fmt::format("req {0} -keyout {1}.key -out {1}.csr -subj /CN={2}", key,
                                     name, subject));
    std::ofstream(file(name + ".ext")) << "subjectAltName=DNS:" << subject << "\n";
    run_openssl(folder_,
                fmt::format("x509 -req -in {0}.csr -CA ca.pem -CAkey ca.key -CAcreateserial "
                            "-days 2 -out {0}.pem -extfile {0}.ext",
                            name));
  }
}

void PrivateNginx::write_configuration(int backend_port) const {
  std::ofstream(file("nginx.conf"))
      << fmt::format(kConfiguration, folder_, backend_port, ports_[kTls],
                     ports_[kClientCertificate], ports_[kH2c], ports_[kGzip], ports_[kBuffering]);
}

std::string PrivateNginx::tls_url() const {
  return fmt::format("https://localhost:{}", ports_[kTls]);
}
std::string PrivateNginx::client_certificate_url() const {
  return fmt::format("https://localhost:{}", ports_[kClientCertificate]);
}
std::string PrivateNginx::h2c_url() const {
  return fmt::format("http://127.0.0.1:{}", ports_[kH2c]);
}
std::string PrivateNginx::gzip_url() const {
  return fmt::format("http://127.0.0.1:{}", ports_[kGzip]);
}
std::string PrivateNginx::buffering_url() const {
  return fmt::format("http://127.0.0.1:{}", ports_[kBuffering]);
}

}  // namespace rt::test
