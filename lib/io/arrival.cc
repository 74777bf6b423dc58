#include "io/arrival.h"

#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <ctime>

namespace rt::io {

void stamp_arrivals(int fd) {
  const int one = 1;
  ::setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &one, sizeof one);
}

Arrival receive(int fd, char* out, std::size_t size) {
  iovec piece{out, size};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(timespec))];
  msghdr message{};
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  Arrival arrival;
  arrival.bytes = ::recvmsg(fd, &message, MSG_DONTWAIT);
  if (arrival.bytes < 0) {
    arrival.error = errno;
    return arrival;
  }
  const cmsghdr* const note = CMSG_FIRSTHDR(&message);
  if (note == nullptr || note->cmsg_level != SOL_SOCKET || note->cmsg_type != SCM_TIMESTAMPNS) {
    return arrival;
  }
  timespec stamp{};
  std::memcpy(&stamp, CMSG_DATA(note), sizeof stamp);
  arrival.stamp_unix_ns = std::int64_t{stamp.tv_sec} * 1'000'000'000 + stamp.tv_nsec;
  return arrival;
}

}  // namespace rt::io
