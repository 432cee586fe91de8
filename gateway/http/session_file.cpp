// ClientSession: files as answers.
#include <unistd.h>

#include <algorithm>

#include "gateway/http/client_session.hpp"

namespace gateway::http {

namespace {

constexpr int kReadsPerTurn = 4;

}  // namespace

void ClientSession::serve_file(const config::StaticTarget& target) {
    Exchange& exchange = request_->exchange;
    const FileAnswer file = open_file(target, exchange.head, exchange.head.path(), request_->file);
    if (file.status == 404) return answer(answer_for(Failed::file_not_found));
    if (file.status == 500) return answer(answer_for(Failed::file_unreadable));
    // After the 404: a path that names no file is unknown whatever the method.
    if (exchange.method != wire::Method::get && exchange.method != wire::Method::head) {
        request_->file.close();
        Answer own = answer_for(Failed::method_not_allowed);
        if (exchange.method == wire::Method::options) {
            own = Answer();
            own.status = 204;
            own.body = Answer::Body::none;
        }
        own.allow = "GET, HEAD, OPTIONS";
        return answer(own);
    }
    using Mode = wire::Addition::Mode;
    auto& additions = exchange.response_additions;
    if (file.status == 308 || file.status == 416) {
        Answer own;
        own.status = file.status;
        own.body = Answer::Body::none;
        own.location = exchange.text.keep(file.location);
        if (!file.content_range.empty())
            additions.push_back({"Content-Range", exchange.text.keep(file.content_range), Mode::set});
        return answer(own);
    }
    additions.push_back({"Date", worker_.date, Mode::set});
    additions.push_back({"ETag", exchange.text.keep(file.etag), Mode::set});
    additions.push_back({"Last-Modified", exchange.text.keep(file.last_modified), Mode::set});
    additions.push_back({"Cache-Control", target.cache_control, Mode::if_absent});
    if (file.status != 304) {
        additions.push_back({"Content-Type", file.content_type, Mode::set});
        additions.push_back({"Accept-Ranges", "bytes", Mode::set});
    }
    if (!file.content_range.empty())
        additions.push_back({"Content-Range", exchange.text.keep(file.content_range), Mode::set});
    wire::ClientResponse head;
    head.client_version_minor = exchange.version_minor;
    head.keep_alive = decide_keep_alive(true);
    head.request_id = exchange.request_id;
    head.additions = additions;
    head.body = wire::BodyKind::none;
    head.write_content_length = file.status != 304;
    head.content_length = file.length;
    exchange.status = file.status;
    wire::Output out(worker_.output.data(), worker_.output.size());
    if (!wire::write_own_response_head(out, file.status, head)) return client_gone("own_answer_too_large");
    // Head and the file's first bytes in one send.
    std::string_view first;
    FileBody& body = request_->file;
    if (body.descriptor >= 0 && body.remaining > 0) {
        const std::size_t room = std::min<std::uint64_t>(out.room(), body.remaining);
        const ssize_t got = ::pread(body.descriptor, out.end(), room, static_cast<off_t>(body.at));
        if (got > 0) {
            first = {out.end(), static_cast<std::size_t>(got)};
            body.at += first.size();
            body.remaining -= first.size();
            exchange.bytes_out += first.size();
        }
    }
    if (send(out.view(), first) == Sent::failed) return;
    pump_file();
}

void ClientSession::pump_file() {
    FileBody& body = request_->file;
    int reads = kReadsPerTurn;
    while (body.descriptor >= 0 && body.remaining > 0) {
        if (!out_.empty()) return;
        if (reads-- == 0) return worker_.poller.again(this);
        const std::size_t want = std::min<std::uint64_t>(worker_.output.size(), body.remaining);
        const ssize_t got =
            ::pread(body.descriptor, worker_.output.data(), want, static_cast<off_t>(body.at));
        if (got <= 0) return answer_aborted("file_truncated");
        const auto bytes = static_cast<std::size_t>(got);
        body.at += bytes;
        body.remaining -= bytes;
        request_->exchange.bytes_out += bytes;
        if (send({worker_.output.data(), bytes}) == Sent::failed) return;
    }
    body.close();
    answer_finished();
}

}  // namespace gateway::http
