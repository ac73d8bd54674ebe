/* A neutral SMPP 3.4 SMSC for bench/delivery.py: it takes every submit_sm as fast as one thread can
 * and knows none of its clients. Loopback only.
 *
 *   cc -O2 -o smsc smsc.c && ./smsc PORT CALLBACK_PORT
 *
 * Every submit_sm is answered at once with a message id of its own, or with ESME_RTHROTTLED where a
 * limit is set. Repeated pairs of destination and text are counted. The second port answers any HTTP
 * GET with 200 and counts it: the callbacks that other gateways make for a receipt.
 *
 * Commands on stdin, a word and a value a line; each is answered with a line of JSON on stdout, and
 * the end of stdin ends the process:
 *
 *   figures          what was counted since the last reset; times are CLOCK_MONOTONIC in ns
 *   reset            counters, ledger and duplicates to nothing
 *   gate N           with 1, binds wait for their answer until it is 0, so that all start together
 *   receipts N       with 1, a receipt for each submit_sm that asks for one
 *   limit N          submits a second, a bucket of one second; 0 is no limit
 *   watch PREFIX     arrivals at destinations that begin so are kept
 *   ledger           what was kept: [["<destination>", ns], ...]
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    PEERS = 256, IN_SIZE = 1 << 18, MOST_OUT = 1 << 20, ADDRESS = 21, OPEN_RECEIPTS = 1000,
    SET_BITS = 22, SMPP = 1000, HTTP = 1001, STDIN = 1002
};
enum {
    BIND_RECEIVER = 1, BIND_TRANSMITTER = 2, SUBMIT = 4, DELIVER = 5, UNBIND = 6,
    BIND_TRANSCEIVER = 9, ENQUIRE = 0x15, ANSWER = 0x80000000u, NACK = 0x80000000u, THROTTLED = 0x58
};

struct peer {
    int fd;
    bool http, bound, receives, waits_to_write;
    uint32_t life;             /* tells a peer from an earlier one in the same place */
    uint32_t gated, gated_seq; /* a bind not yet answered: its command, its sequence number */
    uint32_t sequence, open_receipts;
    uint8_t *in, *out;
    size_t in_size, out_start, out_end, out_room;
};
struct receipt { uint32_t place, life; uint64_t id; char source[ADDRESS], destination[ADDRESS]; };
struct arrival { char destination[ADDRESS]; uint64_t at; };

static struct peer peers[PEERS];
static int epoll;
static bool gated, receipts_on;
static double limit, bucket, bucket_at;
static char watched[ADDRESS];
static uint64_t next_id, *set;

static struct {
    uint64_t submits, taken, throttled, repeated, receipts, answered, refused, callbacks;
    uint64_t first, last, last_answered, last_callback;
} seen;

static struct receipt *owed;
static size_t owed_first, owed_next, owed_room;
static struct arrival *ledger;
static size_t arrivals, ledger_room;

static uint64_t now_ns(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static uint32_t get32(const uint8_t *p) { uint32_t n; memcpy(&n, p, 4); return ntohl(n); }
static uint8_t *put32(uint8_t *p, uint32_t n) { n = htonl(n); memcpy(p, &n, 4); return p + 4; }
static uint8_t *put_text(uint8_t *p, const char *t) { size_t n = strlen(t) + 1; memcpy(p, t, n); return p + n; }

static void *grown(void *list, size_t *room, size_t item)
{
    *room = *room ? 2 * *room : 4096;
    list = realloc(list, *room * item);
    if (!list) abort();
    return list;
}

/* --- out --------------------------------------------------------------------------------------- */

static uint8_t *room_for(struct peer *p, size_t octets)
{
    if (p->out_start == p->out_end) p->out_start = p->out_end = 0;
    if (p->out_start > MOST_OUT) {
        memmove(p->out, p->out + p->out_start, p->out_end - p->out_start);
        p->out_end -= p->out_start;
        p->out_start = 0;
    }
    while (p->out_end + octets > p->out_room) p->out = grown(p->out, &p->out_room, 1);
    return p->out + p->out_end;
}

static uint8_t *header(uint8_t *at, uint32_t command, uint32_t status, uint32_t sequence)
{
    return put32(put32(put32(at + 4, command), status), sequence);
}

static void sealed(struct peer *p, uint8_t *start, uint8_t *end)
{
    put32(start, (uint32_t)(end - start));
    p->out_end += (size_t)(end - start);
}

static void plain(struct peer *p, uint32_t command, uint32_t status, uint32_t sequence)
{
    uint8_t *start = room_for(p, 16);
    sealed(p, start, header(start, command, status, sequence));
}

static void answer_submit(struct peer *p, uint32_t sequence, uint64_t id)
{
    uint8_t *start = room_for(p, 48), *at = header(start, SUBMIT | ANSWER, 0, sequence);
    at += sprintf((char *)at, "%" PRIu64, id) + 1;
    sealed(p, start, at);
}

static void answer_bind(struct peer *p)
{
    uint8_t *start = room_for(p, 48), *at = header(start, p->gated | ANSWER, 0, p->gated_seq);
    sealed(p, start, put_text(at, "neutral"));
    p->bound = true;
    p->receives = p->gated != BIND_TRANSMITTER;
    p->gated = 0;
}

static void write_receipt(struct peer *p, const struct receipt *r)
{
    char id[24], text[160], day[16];
    time_t t = time(NULL);
    strftime(day, sizeof day, "%y%m%d%H%M", gmtime(&t));
    int id_size = sprintf(id, "%" PRIu64, r->id);
    int size = sprintf(text, "id:%s sub:001 dlvrd:001 submit date:%s done date:%s stat:DELIVRD err:000 text:",
                       id, day, day);
    uint8_t *start = room_for(p, 320), *at = header(start, DELIVER, 0, ++p->sequence);
    *at++ = 0;                                             /* service_type */
    *at++ = 1; *at++ = 1; at = put_text(at, r->destination);
    *at++ = 3; *at++ = 0; at = put_text(at, r->source);
    *at++ = 4;                                             /* esm_class: a receipt */
    memset(at, 0, 8); at += 8;
    *at++ = (uint8_t)size; memcpy(at, text, (size_t)size); at += size;
    *at++ = 0x00; *at++ = 0x1e; *at++ = 0; *at++ = (uint8_t)(id_size + 1); at = put_text(at, id);
    *at++ = 0x04; *at++ = 0x27; *at++ = 0; *at++ = 1; *at++ = 2; /* message_state: DELIVERED */
    sealed(p, start, at);
    p->open_receipts++;
    seen.receipts++;
}

static void listen_for(struct peer *p, bool writing)
{
    if (p->waits_to_write == writing) return;
    struct epoll_event e = {.events = EPOLLIN | (writing ? EPOLLOUT : 0), .data.u32 = (uint32_t)(p - peers)};
    epoll_ctl(epoll, EPOLL_CTL_MOD, p->fd, &e);
    p->waits_to_write = writing;
}

static void leave(struct peer *p)
{
    close(p->fd);
    free(p->in);
    free(p->out);
    *p = (struct peer){.fd = -1, .life = p->life + 1};
}

static void flush(struct peer *p)
{
    while (p->out_start < p->out_end) {
        ssize_t n = send(p->fd, p->out + p->out_start, p->out_end - p->out_start, MSG_NOSIGNAL);
        if (n < 0 && errno != EAGAIN) { leave(p); return; }
        if (n < 0) { listen_for(p, true); return; }
        p->out_start += (size_t)n;
    }
    listen_for(p, false);
}

/* --- in ---------------------------------------------------------------------------------------- */

static bool met_before(const uint8_t *octets, size_t size, uint64_t hash)
{
    for (size_t i = 0; i < size; i++) hash = (hash ^ octets[i]) * 0x100000001b3u;
    hash = (hash ^ hash >> 31) * 0x9e3779b97f4a7c15u;
    hash += !hash;
    uint64_t mask = (1u << SET_BITS) - 1;
    for (uint64_t i = hash >> (64 - SET_BITS);; i = (i + 1) & mask) {
        if (set[i] == hash) return true;
        if (!set[i]) { set[i] = hash; return false; }
    }
}

static bool within_limit(uint64_t now)
{
    if (limit <= 0) return true;
    double seconds = (double)now / 1e9;
    bucket += (seconds - bucket_at) * limit;
    bucket_at = seconds;
    if (bucket > limit) bucket = limit;
    if (bucket < 1) return false;
    bucket -= 1;
    return true;
}

static void keep(const char *destination, uint64_t now)
{
    if (arrivals == ledger_room) ledger = grown(ledger, &ledger_room, sizeof *ledger);
    struct arrival *a = &ledger[arrivals++];
    strcpy(a->destination, destination);
    a->at = now;
}

static void owe(struct peer *p, uint64_t id, const char *source, const char *destination)
{
    if (owed_first == owed_next) owed_first = owed_next = 0;
    if (owed_next == owed_room) owed = grown(owed, &owed_room, sizeof *owed);
    struct receipt *r = &owed[owed_next++];
    r->place = (uint32_t)(p - peers);
    r->life = p->life;
    r->id = id;
    strcpy(r->source, source);
    strcpy(r->destination, destination);
}

/* The C-Octet String at *at, which moves behind it; NULL where it is cut short or too long. */
static const char *text_at(const uint8_t **at, const uint8_t *end, size_t most)
{
    if (*at >= end) return NULL;
    const char *text = (const char *)*at;
    size_t size = strnlen(text, (size_t)(end - *at));
    *at += size + 1;
    return *at > end || size >= most ? NULL : text;
}

static bool take_submit(struct peer *p, const uint8_t *pdu, const uint8_t *end, uint64_t now)
{
    uint32_t sequence = get32(pdu + 12);
    const uint8_t *at = pdu + 16;
    if (!text_at(&at, end, 6)) return false;
    at += 2;
    const char *source = text_at(&at, end, ADDRESS);
    at += 2;
    const char *destination = text_at(&at, end, ADDRESS);
    if (!source || !destination) return false;
    at += 3;
    if (!text_at(&at, end, 17) || !text_at(&at, end, 17) || at + 5 > end) return false;
    bool wants_receipt = at[0] & 1;
    seen.submits++;
    if (!within_limit(now)) {
        seen.throttled++;
        plain(p, SUBMIT | ANSWER, THROTTLED, sequence);
        return true;
    }
    uint64_t id = next_id++;
    if (!seen.first) seen.first = now;
    seen.last = now;
    seen.taken++;
    uint64_t hash = 0xcbf29ce484222325u;
    for (const char *d = destination; *d; d++) hash = (hash ^ (uint8_t)*d) * 0x100000001b3u;
    seen.repeated += met_before(at + 4, (size_t)(end - at - 4), hash);
    if (watched[0] && !strncmp(destination, watched, strlen(watched))) keep(destination, now);
    if (receipts_on && wants_receipt) owe(p, id, source, destination);
    answer_submit(p, sequence, id);
    return true;
}

static unsigned waiting(void)
{
    unsigned count = 0;
    for (struct peer *p = peers; p < peers + PEERS; p++) count += p->fd >= 0 && p->gated;
    return count;
}

static void open_gate(void)
{
    for (struct peer *p = peers; p < peers + PEERS; p++)
        if (p->fd >= 0 && p->gated) { answer_bind(p); flush(p); }
}

static bool take(struct peer *p, const uint8_t *pdu, uint32_t size, uint64_t now)
{
    uint32_t command = get32(pdu + 4), sequence = get32(pdu + 12);
    switch (command) {
    case SUBMIT:
        return p->bound && take_submit(p, pdu, pdu + size, now);
    case DELIVER | ANSWER:
        p->open_receipts -= p->open_receipts > 0;
        *(get32(pdu + 8) ? &seen.refused : &seen.answered) += 1;
        seen.last_answered = now;
        return true;
    case BIND_RECEIVER: case BIND_TRANSMITTER: case BIND_TRANSCEIVER:
        p->gated = command;
        p->gated_seq = sequence;
        if (!gated) answer_bind(p);
        return true;
    case ENQUIRE: case UNBIND:
        plain(p, command | ANSWER, 0, sequence);
        return true;
    default:
        if (!(command & ANSWER)) plain(p, NACK, 3, sequence);
        return true;
    }
}

static size_t take_http(struct peer *p, uint64_t now)
{
    static const char ok[] = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
    size_t done = 0;
    uint8_t *end;
    while ((end = memmem(p->in + done, p->in_size - done, "\r\n\r\n", 4))) {
        done = (size_t)(end - p->in) + 4;
        memcpy(room_for(p, sizeof ok), ok, sizeof ok - 1);
        p->out_end += sizeof ok - 1;
        seen.callbacks++;
        seen.last_callback = now;
    }
    return done;
}

/* How many octets were whole PDUs; one more than there are where the stream is broken. */
static size_t take_smpp(struct peer *p, uint64_t now)
{
    size_t done = 0;
    while (p->in_size - done >= 16) {
        uint32_t size = get32(p->in + done);
        if (size < 16 || size > 65536) return p->in_size + 1;
        if (p->in_size - done < size) break;
        if (!take(p, p->in + done, size, now)) return p->in_size + 1;
        done += size;
    }
    return done;
}

static void hear(struct peer *p)
{
    ssize_t n = recv(p->fd, p->in + p->in_size, IN_SIZE - p->in_size, 0);
    if (n < 0 && errno == EAGAIN) return;
    if (n <= 0) { leave(p); return; }
    p->in_size += (size_t)n;
    uint64_t now = now_ns(CLOCK_MONOTONIC);
    size_t done = p->http ? take_http(p, now) : take_smpp(p, now);
    if (done > p->in_size) {
        fprintf(stderr, "smsc: a PDU that cannot be read, the connection is dropped\n");
        leave(p);
        return;
    }
    memmove(p->in, p->in + done, p->in_size - done);
    p->in_size -= done;
    flush(p);
}

static void welcome(int listener, bool http)
{
    int fd, one = 1;
    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
        struct peer *p = peers;
        while (p < peers + PEERS && p->fd >= 0) p++;
        if (p == peers + PEERS) { close(fd); continue; }
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        *p = (struct peer){.fd = fd, .http = http, .life = p->life, .in = malloc(IN_SIZE)};
        struct epoll_event e = {.events = EPOLLIN, .data.u32 = (uint32_t)(p - peers)};
        epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &e);
    }
}

/* Receipts go to the bind that submitted, or where that is gone or only transmits, to another. */
static struct peer *receiver(const struct receipt *r)
{
    struct peer *own = &peers[r->place];
    if (own->life == r->life && own->fd >= 0 && own->receives) return own;
    for (struct peer *p = peers; p < peers + PEERS; p++)
        if (p->fd >= 0 && p->receives) return p;
    return NULL;
}

static void pay(void)
{
    static bool touched[PEERS];
    memset(touched, 0, sizeof touched);
    for (; owed_first < owed_next; owed_first++) {
        struct peer *p = receiver(&owed[owed_first]);
        /* a full bind holds up the others too: with several binds they fill alike */
        if (!p || p->open_receipts >= OPEN_RECEIPTS || p->out_end - p->out_start > MOST_OUT) break;
        write_receipt(p, &owed[owed_first]);
        touched[p - peers] = true;
    }
    for (int i = 0; i < PEERS; i++)
        if (touched[i]) flush(&peers[i]);
}

/* --- commands ---------------------------------------------------------------------------------- */

static void say_figures(void)
{
    printf("{\"submits\": %" PRIu64 ", \"taken\": %" PRIu64 ", \"throttled\": %" PRIu64
           ", \"repeated\": %" PRIu64 ", \"receipts\": %" PRIu64 ", \"answered\": %" PRIu64
           ", \"refused\": %" PRIu64 ", \"callbacks\": %" PRIu64 ", \"owed\": %zu, \"first\": %" PRIu64
           ", \"last\": %" PRIu64 ", \"last_answered\": %" PRIu64 ", \"last_callback\": %" PRIu64
           ", \"cpu\": %" PRIu64 ", \"waiting\": %u}\n",
           seen.submits, seen.taken, seen.throttled, seen.repeated, seen.receipts, seen.answered,
           seen.refused, seen.callbacks, owed_next - owed_first, seen.first, seen.last,
           seen.last_answered, seen.last_callback, now_ns(CLOCK_PROCESS_CPUTIME_ID), waiting());
}

static void say_ledger(void)
{
    printf("[");
    for (size_t i = 0; i < arrivals; i++)
        printf("%s[\"%s\", %" PRIu64 "]", i ? ", " : "", ledger[i].destination, ledger[i].at);
    printf("]\n");
}

static void obey(const char *word, const char *value)
{
    if (!strcmp(word, "ledger")) { say_ledger(); return; }
    if (!strcmp(word, "reset")) {
        memset(&seen, 0, sizeof seen);
        memset(set, 0, sizeof *set << SET_BITS);
        arrivals = owed_first = owed_next = 0;
    }
    else if (!strcmp(word, "gate")) {
        gated = atoi(value);
        if (!gated) open_gate();
    }
    else if (!strcmp(word, "receipts")) receipts_on = atoi(value);
    else if (!strcmp(word, "limit")) {
        limit = bucket = atof(value);
        bucket_at = (double)now_ns(CLOCK_MONOTONIC) / 1e9;
    }
    else if (!strcmp(word, "watch")) snprintf(watched, sizeof watched, "%s", value);
    say_figures();
}

static void hear_commands(void)
{
    static char line[256];
    static size_t size;
    ssize_t n = read(0, line + size, sizeof line - 1 - size);
    if (n <= 0) exit(0);
    size += (size_t)n;
    line[size] = 0;
    char *start = line, *end;
    while ((end = strchr(start, '\n'))) {
        char word[32] = "", value[32] = "";
        *end = 0;
        sscanf(start, "%31s %31s", word, value);
        obey(word, value);
        start = end + 1;
    }
    size = strlen(start);
    memmove(line, start, size + 1);
    fflush(stdout);
}

static int listener_on(const char *port, uint32_t name)
{
    int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port)),
                               .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(fd, (struct sockaddr *)&here, sizeof here) || listen(fd, 128)) { perror("smsc"); exit(1); }
    struct epoll_event e = {.events = EPOLLIN, .data.u32 = name};
    epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &e);
    return fd;
}

int main(int count, char **words)
{
    if (count != 3) { fprintf(stderr, "smsc PORT CALLBACK_PORT\n"); return 2; }
    for (int i = 0; i < PEERS; i++) peers[i].fd = -1;
    set = calloc((size_t)1 << SET_BITS, sizeof *set);
    next_id = now_ns(CLOCK_REALTIME) / 1000; /* never an id of an earlier process */
    epoll = epoll_create1(0);
    int smpp = listener_on(words[1], SMPP), http = listener_on(words[2], HTTP);
    struct epoll_event commands = {.events = EPOLLIN, .data.u32 = STDIN}, events[64];
    epoll_ctl(epoll, EPOLL_CTL_ADD, 0, &commands);
    for (;;) {
        int n = epoll_wait(epoll, events, 64, owed_first < owed_next ? 20 : -1);
        for (int i = 0; i < n; i++) {
            uint32_t name = events[i].data.u32;
            if (name == SMPP) welcome(smpp, false);
            else if (name == HTTP) welcome(http, true);
            else if (name == STDIN) hear_commands();
            else if (peers[name].fd >= 0) {
                if (events[i].events & EPOLLOUT) flush(&peers[name]);
                if (peers[name].fd >= 0 && events[i].events & ~EPOLLOUT) hear(&peers[name]);
            }
        }
        if (owed_first < owed_next) pay();
    }
}
