#include "mailbox-backend/lmtp/trace.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <time.h>

/* " ([192.0.2.1])": the address literal of RFC 5321 section 4.1.3; nothing for a unix socket. */
static void write_address(const char *address, struct buf *out)
{
    unsigned char bytes[16];

    if (address == NULL)
        return;
    if (inet_pton(AF_INET, address, bytes) == 1)
        buf_printf(out, " ([%s])", address);
    else if (inet_pton(AF_INET6, address, bytes) == 1)
        buf_printf(out, " ([IPv6:%s])", address);
}

/* RFC 5322 section 3.3; names of days and months are English whatever the locale. */
static void write_date(int64_t when, int zone, struct buf *out)
{
    static const char days[7][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char months[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    time_t local = (time_t)(when + zone * 60);
    int away = abs(zone);
    struct tm tm;

    gmtime_r(&local, &tm);
    buf_printf(out, "%s, %02d %s %04d %02d:%02d:%02d %c%02d%02d", days[tm.tm_wday], tm.tm_mday,
               months[tm.tm_mon], tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec,
               zone < 0 ? '-' : '+', away / 60, away % 60);
}

void trace_write(const struct trace *trace, struct buf *out)
{
    buf_printf(out, "Return-Path: <%s>\r\n", trace->sender);
    buf_printf(out, "Received: from %s", trace->client_name);
    write_address(trace->client_address, out);
    buf_printf(out, "\r\n\tby %s with %sLMTP%s id %s;\r\n\t", trace->host,
               trace->utf8 ? "UTF8" : "", trace->secured ? "S" : "", trace->id);
    write_date(trace->time, trace->zone, out);
    buf_text(out, "\r\n");
}
