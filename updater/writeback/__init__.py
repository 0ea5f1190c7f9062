"""Write-back."""
