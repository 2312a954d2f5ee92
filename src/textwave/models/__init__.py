"""Models that put each customer into a class: RFM scores and AIPL stages."""
