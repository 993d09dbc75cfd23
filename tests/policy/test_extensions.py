"""Extension types: against the standard library where it knows them, and against the examples and limits that Cedar's documentation gives."""

import datetime as dt
import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thunderlab.policy.language import extensions
from thunderlab.policy.language.extensions import DAY, HOUR, MINUTE, SECOND
from thunderlab.policy.language.values import LONG_MAX, LONG_MIN, Address, Datetime, Decimal, Duration

EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


class TestDecimal:
    @pytest.mark.parametrize(
        ("text", "units"),
        [
            ("0.0", 0),
            ("1.0", 10_000),
            ("1.2345", 12_345),
            ("-0.5", -5_000),
            ("-1.25", -12_500),
            ("00012.5", 125_000),
            ("0" * 5_000 + "1.0", 10_000),
            ("922337203685477.5807", LONG_MAX),
            ("-922337203685477.5808", LONG_MIN),
        ],
    )
    def test_is_read(self, text, units):
        assert extensions.decimal(text) == Decimal(units)

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "1",
            "1.",
            ".5",
            "+1.0",
            "1.23456",
            "1e3",
            " 1.0",
            "1.0\n",
            "1,0",
            "--1.0",
            "1.-5",
            "٣.٤",
            "922337203685477.5808",
            "-922337203685477.5809",
            "9" * 5_000 + ".0",
        ],
    )
    def test_is_refused(self, text):
        with pytest.raises(ValueError, match=r"decimal|digits|64 bits"):
            extensions.decimal(text)


class TestAddresses:
    @given(st.ip_addresses())
    def test_are_read_as_the_standard_library_reads_them(self, address):
        read = extensions.ip(str(address))
        assert (read.version, read.number, read.prefix) == (address.version, int(address), address.max_prefixlen)

    @pytest.mark.parametrize(
        "text",
        [
            "1.2.3",
            "01.2.3.4",
            "1.2.3.4/33",
            "1.2.3.4/08",
            "1.2.3.4/",
            "::1/129",
            "::1%eth0",
            "::ffff:1.2.3.4",
            "1.2.3.4/+8",
            "g::",
            "",
            "1.2.3.4 ",
        ],
    )
    def test_are_refused(self, text):
        with pytest.raises(ValueError, match="IP address|prefix"):
            extensions.ip(text)

    @given(st.ip_addresses(v=4), st.integers(0, 32), st.ip_addresses(v=4), st.integers(0, 32))
    def test_ranges_lie_in_ranges_as_networks_in_networks(self, inner, inner_prefix, outer, outer_prefix):
        one, other = f"{inner}/{inner_prefix}", f"{outer}/{outer_prefix}"
        expected = ipaddress.ip_network(one, strict=False).subnet_of(ipaddress.ip_network(other, strict=False))
        assert extensions.is_in_range(extensions.ip(one), extensions.ip(other)) is expected

    def test_ranges_of_the_other_version_are_never_in_range(self):
        assert not extensions.is_in_range(extensions.ip("::/0"), extensions.ip("0.0.0.0/0"))

    @pytest.mark.parametrize(
        ("text", "loopback", "multicast"),
        [
            ("127.0.0.1", True, False),
            ("127.0.0.0/8", True, False),
            ("126.0.0.0/7", False, False),
            ("128.0.0.0", False, False),
            ("::1", True, False),
            ("::1/127", False, False),
            ("::ffff:7f00:1", False, False),
            ("224.0.0.0/4", False, True),
            ("224.0.0.0/3", False, False),
            ("239.255.255.255", False, True),
            ("240.0.0.0", False, False),
            ("ff00::/8", False, True),
            ("fe80::1", False, False),
        ],
    )
    def test_loopback_and_multicast(self, text, loopback, multicast):
        address = extensions.ip(text)
        assert (extensions.is_loopback(address), extensions.is_multicast(address)) == (loopback, multicast)

    def test_the_bits_behind_the_prefix_are_kept(self):
        assert extensions.ip("10.1.2.3/8") == Address(4, 0x0A010203, 8)


class TestDatetimes:
    @given(st.datetimes(timezones=st.just(dt.UTC)))
    def test_are_counted_as_the_standard_library_counts_them(self, moment):
        moment = moment.replace(microsecond=moment.microsecond // 1000 * 1000)
        text = moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        assert extensions.datetime(text).ms == (moment - EPOCH) // dt.timedelta(milliseconds=1)

    @pytest.mark.parametrize(
        ("text", "ms"),
        [
            ("1970-01-01", 0),
            ("1970-01-01T00:00:00Z", 0),
            ("1970-01-01T00:00:00.001Z", 1),
            ("1970-01-01T00:00:00+0130", -(HOUR + 30 * MINUTE)),
            ("1970-01-01T00:00:00-2359", 23 * HOUR + 59 * MINUTE),
            ("2000-02-29", 11_016 * DAY),
            ("0000-01-01", -719_528 * DAY),
        ],
    )
    def test_are_read(self, text, ms):
        assert extensions.datetime(text) == Datetime(ms)

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "1970-1-1",
            "1970-02-29",
            "1900-02-29",
            "1970-13-01",
            "1970-00-10",
            "1970-01-00",
            "1970-04-31",
            "1970-01-01T24:00:00Z",
            "1970-01-01T00:60:00Z",
        ]
        + [
            "1970-01-01T00:00:60Z",
            "1970-01-01T00:00:00.1Z",
            "1970-01-01T00:00:00+2400",
            "1970-01-01T00:00:00+0060",
            "1970-01-01T00:00:00+01:00",
        ]
        + ["1970-01-01 00:00:00Z", "19700101", "-0001-01-01", "1970-01-01T00:00:00z", "1970-01-01\n", "١٩٧٠-01-01"],
    )
    def test_are_refused(self, text):
        with pytest.raises(ValueError, match=r"datetime|calendar|time of the day"):
            extensions.datetime(text)

    @given(st.integers(LONG_MIN + DAY, LONG_MAX))
    def test_are_a_date_and_a_time(self, ms):
        date, time = extensions.to_date(Datetime(ms)), extensions.to_time(Datetime(ms))
        assert date.ms + time.ms == ms
        assert date.ms % DAY == 0
        assert 0 <= time.ms < DAY

    def test_leave_no_room_for_the_first_day_there_is(self):
        with pytest.raises(OverflowError):
            extensions.to_date(Datetime(LONG_MIN))


class TestDurations:
    @pytest.mark.parametrize(
        ("text", "ms"),
        [
            ("0ms", 0),
            ("1d2h3m4s5ms", DAY + 2 * HOUR + 3 * MINUTE + 4 * SECOND + 5),
            ("-1h30m", -90 * MINUTE),
            ("5m", 5 * MINUTE),
            ("5ms", 5),
            ("1m1ms", MINUTE + 1),
            ("0001d", DAY),
            ("9223372036854775807ms", LONG_MAX),
            ("-9223372036854775808ms", LONG_MIN),
        ],
    )
    def test_are_read(self, text, ms):
        assert extensions.duration(text) == Duration(ms)

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "-",
            "1",
            "1h1d",
            "1d ",
            "+1d",
            "1.5h",
            "1D",
            "1s1m",
            "9223372036854775808ms",
            "-9223372036854775809ms",
            "106751991168d",
            "1d-1h",
            "٣d",
        ],
    )
    def test_are_refused(self, text):
        with pytest.raises(ValueError, match=r"duration|64 bits"):
            extensions.duration(text)

    @given(st.integers(LONG_MIN, LONG_MAX), st.sampled_from([SECOND, MINUTE, HOUR, DAY]))
    def test_have_whole_units_towards_zero(self, ms, unit):
        whole = extensions.whole(Duration(ms), unit)
        assert abs(whole) * unit <= abs(ms) < (abs(whole) + 1) * unit
        assert whole * ms >= 0

    def test_beyond_64_bits_are_errors(self):
        with pytest.raises(OverflowError):
            extensions.offset(Datetime(LONG_MAX), Duration(1))
        with pytest.raises(OverflowError):
            extensions.duration_since(Datetime(LONG_MIN), Datetime(1))
        assert extensions.offset(Datetime(LONG_MAX - 1), Duration(1)) == Datetime(LONG_MAX)
        assert extensions.duration_since(Datetime(LONG_MIN), Datetime(0)) == Duration(LONG_MIN)
