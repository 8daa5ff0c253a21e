"""What wakes the streams of subscriptions: which commits changed whose portfolio, sent to every process."""
