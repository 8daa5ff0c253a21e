"""What wakes the streams of subscriptions: which commit changed whose portfolio, told to every server process."""
