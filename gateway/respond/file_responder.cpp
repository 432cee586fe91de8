#include "gateway/respond/file_responder.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>

#include "gateway/exchange/exchange.hpp"

namespace gateway::respond {

using exchange::Answer;
using exchange::Exchange;
using exchange::Failed;
using exchange::Given;
using exchange::Reply;

namespace {

constexpr int kReadsPerTurn = 4;

}  // namespace

void FileResponder::start(Exchange& exchange) {
    exchange_ = &exchange;
    const auto& target = std::get<config::StaticTarget>(exchange.route->target);
    const FileAnswer file = open_file(target, exchange.head, exchange.head.path(), body_);
    if (file.status == 404) return exchange.fail(Failed::file_not_found);
    if (file.status == 500) return exchange.fail(Failed::file_unreadable);
    // After the 404: a path that names no file is unknown whatever the method.
    if (exchange.method != wire::Method::get && exchange.method != wire::Method::head) return refuse_method();
    if (file.status == 412) return exchange.fail(Failed::precondition_failed);
    if (file.status == 308 || file.status == 416) {
        Answer own;
        own.status = file.status;
        own.body = Answer::Body::none;
        own.location = exchange.text.keep(file.location);
        own.content_range = exchange.text.keep(file.content_range);
        return exchange.answer(own);
    }

    using Mode = wire::Addition::Mode;
    std::array<wire::Addition, 6> fields;
    std::size_t count = 0;
    fields[count++] = {"ETag", file.etag, Mode::set};
    fields[count++] = {"Last-Modified", file.last_modified, Mode::set};
    fields[count++] = {"Cache-Control", target.cache_control, Mode::if_absent};
    if (file.status != 304) {
        fields[count++] = {"Content-Type", file.content_type, Mode::set};
        fields[count++] = {"Accept-Ranges", "bytes", Mode::set};
    }
    if (!file.content_range.empty()) fields[count++] = {"Content-Range", file.content_range, Mode::set};
    Reply reply;
    reply.status = file.status;
    reply.fields = {fields.data(), count};
    reply.size = file.status == 304 ? Reply::Size::absent : Reply::Size::known;
    reply.length = file.length;
    // Head and the file's first bytes in one send; what cannot be read is missed below.
    const std::string_view first = read();
    const Given given = exchange.send_head(reply, first, body_.remaining == 0);
    if (given == Given::gone) return;
    if (given == Given::unwritable) return exchange.fail(Failed::internal);
    pump();
}

void FileResponder::refuse_method() {
    Exchange& exchange = *exchange_;
    abandon();
    Answer own = exchange::answer_for(Failed::method_not_allowed);
    if (exchange.method == wire::Method::options) {
        own = Answer();
        own.status = 204;
        own.body = Answer::Body::none;
    }
    own.allow = "GET, HEAD, OPTIONS";
    exchange.answer(own);
}

// The file's next bytes, at most what the buffer takes; nothing: there are none, or they cannot be read.
std::string_view FileResponder::read() {
    if (body_.descriptor < 0 || body_.remaining == 0) return {};
    const std::size_t want = std::min<std::uint64_t>(worker_.output.size(), body_.remaining);
    const ssize_t got = ::pread(body_.descriptor, worker_.output.data(), want, static_cast<off_t>(body_.at));
    if (got <= 0) return {};
    body_.at += static_cast<std::size_t>(got);
    body_.remaining -= static_cast<std::size_t>(got);
    return {worker_.output.data(), static_cast<std::size_t>(got)};
}

void FileResponder::pump() {
    int reads = kReadsPerTurn;
    while (body_.descriptor >= 0 && body_.remaining > 0) {
        if (exchange_->side->full()) return;
        if (reads-- == 0) return worker_.poller.again(this);
        const std::string_view bytes = read();
        if (bytes.empty()) {
            Exchange& exchange = *exchange_;
            abandon();
            return exchange.side->cut("file_truncated");
        }
        if (exchange_->send_body(bytes, body_.remaining == 0) != Given::taken) return;
    }
    finish();
}

void FileResponder::finish() {
    Exchange& exchange = *exchange_;
    abandon();
    exchange.side->end();
}

void FileResponder::abandon() {
    body_.close();
    worker_.poller.forget(this);
    exchange_ = nullptr;
}

void FileResponder::on_events(std::uint32_t) {
    if (exchange_) pump();
}

void FileResponder::on_exception() noexcept {
    if (!exchange_) return;
    Exchange& exchange = *exchange_;
    abandon();
    exchange.side->cut("internal_error");
}

}  // namespace gateway::respond
